"""Schedules: torch's own to the last digits at every step, and what becomes of them when a run is turned or changed."""

import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from cifartui.training.rate import LearningRate
from cifartui.training.recipes.schedules import AnySchedule, Constant, Cosine, Linear, OneCycle, StepDecay, WarmedUp
from cifartui.training.state import Position

RATE = 0.1
Scheduler = lr_scheduler.LRScheduler

warmups = st.floats(0, 3)
schedules = st.one_of(
    st.builds(Constant, warmup_epochs=warmups),
    st.builds(StepDecay, warmup_epochs=warmups, every_epochs=st.integers(1, 4), gamma=st.floats(0.05, 1)),
    st.builds(Linear, warmup_epochs=warmups, end_factor=st.floats(0, 1)),
    st.builds(Cosine, warmup_epochs=warmups, end_factor=st.floats(0, 1)),
    st.builds(
        OneCycle,
        pct_start=st.floats(0.05, 0.95),
        div_factor=st.floats(1, 100),
        final_div_factor=st.floats(1, 1e5),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
    ),
)


def sgd(rate: float = RATE) -> torch.optim.Optimizer:
    """An optimizer of one weight, which gets no gradient."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def course_of_torch(schedule: AnySchedule, optimizer: torch.optim.Optimizer, each: int, rest: int) -> Scheduler:
    """What torch has for a schedule without its warm-up, over `rest` steps."""
    match schedule:
        case Constant():
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        case StepDecay():
            return lr_scheduler.StepLR(optimizer, schedule.every_epochs * each, schedule.gamma)
        case Linear():
            return lr_scheduler.LinearLR(optimizer, 1.0, schedule.end_factor, total_iters=rest)
        case Cosine():
            return lr_scheduler.CosineAnnealingLR(optimizer, rest, eta_min=RATE * schedule.end_factor)
        case OneCycle():
            return lr_scheduler.OneCycleLR(
                optimizer,
                RATE,
                total_steps=rest,
                pct_start=schedule.pct_start,
                anneal_strategy=schedule.anneal_strategy,
                cycle_momentum=False,
                div_factor=schedule.div_factor,
                final_div_factor=schedule.final_div_factor,
            )


def scheduler_of_torch(schedule: AnySchedule, optimizer: torch.optim.Optimizer, each: int, epochs: int) -> Scheduler:
    """torch's scheduler for a whole run of `epochs` epochs of `each` steps."""
    warmup = round(schedule.warmup_epochs * each) if isinstance(schedule, WarmedUp) else 0
    if warmup == 0:
        return course_of_torch(schedule, optimizer, each, each * epochs)
    rise = lr_scheduler.LinearLR(optimizer, 1 / warmup, 1.0, total_iters=max(1, warmup - 1))
    course = course_of_torch(schedule, optimizer, each, each * epochs - warmup)
    if isinstance(schedule, StepDecay):  # counted from the start of the run
        return lr_scheduler.ChainedScheduler([rise, course])
    return lr_scheduler.SequentialLR(optimizer, [rise, course], milestones=[warmup])


def rates_of_torch(make: Callable[[torch.optim.Optimizer], Scheduler], steps: int) -> Iterator[float]:
    """The rates with which a script takes its steps."""
    optimizer = sgd()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR calls its parts' step() in a way that they warn of
        scheduler = make(optimizer)
        for _ in range(steps):
            yield optimizer.param_groups[0]["lr"]
            optimizer.step()
            scheduler.step()


@given(schedule=schedules, each=st.integers(2, 30), epochs=st.integers(4, 9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_schedules_are_torchs(schedule: AnySchedule, each: int, epochs: int) -> None:
    """Each with and without warm-up, at every step of runs of many lengths."""
    steps = each * epochs
    theirs = list(rates_of_torch(lambda optimizer: scheduler_of_torch(schedule, optimizer, each, epochs), steps))
    ours = [RATE * schedule.factor(step, each, epochs) for step in range(steps)]
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-14)


@given(schedule=schedules, each=st.integers(1, 30), epochs=st.integers(1, 9), step=st.integers(0, 600))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_schedule_is_a_share_of_the_rate_at_any_step(
    schedule: AnySchedule, each: int, epochs: int, step: int
) -> None:
    """Also in runs shorter than its warm-up, and after their end, where epochs were asked for since."""
    assert 0 <= schedule.factor(step, each, epochs) <= 1
    assert schedule.varies or schedule.factor(step, each, epochs) == 1


def rate_along(schedule: AnySchedule, step: int = 0) -> tuple[LearningRate, Position]:
    """The learning rate of a run of 4 epochs of 10 steps."""
    position = Position(steps_per_epoch=10, epochs=4, step=step)
    return LearningRate(sgd(), RATE, schedule, position), position


def handed_over(rate: LearningRate) -> float:
    """What the optimizer takes its next step with."""
    rate.follow_schedule()
    handed: float = rate._optimizer.param_groups[0]["lr"]
    return handed


SOME = [
    Constant(),
    Constant(warmup_epochs=1),
    StepDecay(every_epochs=1),
    Linear(),
    Cosine(warmup_epochs=0.5),
    OneCycle(),
]


@pytest.mark.parametrize("schedule", SOME)
def test_turned_it_has_that_rate_now_and_goes_on_in_proportion(schedule: AnySchedule) -> None:
    """Set to a value it has it to the bit; the ladder begins at the schedule's own rate, and leads back to it."""
    rate, position = rate_along(schedule)
    for position.step in range(40):
        assert handed_over(rate) == RATE * schedule.factor(position.step, 10, 4)
    position.step = 12
    rate.turn(0.0123)
    assert (rate.value, handed_over(rate)) == (0.0123, 0.0123)
    multiplier = rate.multiplier
    position.step = 31
    assert handed_over(rate) == pytest.approx(RATE * multiplier * schedule.factor(31, 10, 4), rel=1e-12)
    rate.take_the_recipes()
    for to, expected in (("up", 2**0.5), ("up", 2.0), ("down", 2**0.5), ("down", 1.0)):
        rate.turn(to)
        assert handed_over(rate) == pytest.approx(expected * RATE * schedule.factor(31, 10, 4), rel=1e-12)


@pytest.mark.parametrize("schedule", SOME)
def test_what_was_turned_is_kept(schedule: AnySchedule) -> None:
    """To the bit at every later step; checkpoints from before there were schedules hold the rate alone."""
    rate, position = rate_along(schedule, step=7)
    rate.turn(0.05)
    again, elsewhere = rate_along(schedule)
    again.restore({}, rate.facts())
    for position.step in range(7, 40):
        elsewhere.step = position.step
        assert handed_over(again) == handed_over(rate)
    again.restore({}, {"value": 0.2})
    assert handed_over(again) == pytest.approx(0.2 * schedule.factor(39, 10, 4), rel=1e-12)


def test_other_epochs_change_the_length_of_the_schedule() -> None:
    """From the next step on, as if the run had had so many from the start."""
    rate, position = rate_along(Linear(), step=20)
    assert handed_over(rate) == RATE / 2
    position.epochs = 8
    assert handed_over(rate) == RATE * 0.75
    position.epochs = 2
    assert handed_over(rate) == 0
