"""The fold of a journal: bounded, and true to what it leaves out."""

import math

import pytest

from cifartui.training.events import AnyEvent, Evaluated, LossLogged, RunStarted, StateChanged, StepsReported
from cifartui.training.history import MAX_LINES, MAX_POINTS, RunHistory, fold


def _started(steps_per_epoch: int) -> RunStarted:
    return RunStarted(
        run="r",
        recipe="tutorial",
        dataset="d",
        network="tutorial",
        device="cpu",
        device_reason="asked for",
        epochs=2,
        steps_per_epoch=steps_per_epoch,
        batch_size=4,
        train_images=4 * steps_per_epoch,
        validation_images=0,
        parameters=62_006,
        learning_rate=0.001,
        seed=1,
        host_pid=1,
    )


def _report(step: int, loss: float | None = 1.0, rate: float = 400.0) -> StepsReported:
    return StepsReported(
        time=float(step) / 100,
        step=step,
        epoch=1,
        loss=loss,
        running_loss=loss,
        accuracy=0.5,
        learning_rate=0.001,
        images_per_second=rate,
        finite=loss is not None,
    )


def test_curve_stays_bounded_and_keeps_its_mean() -> None:
    """Ten thousand reports become at most twice the bound, with the same mean and the last step."""
    events: list[AnyEvent] = [_report(step, loss=step / 10_000) for step in range(1, 10_001)]
    history = fold(RunHistory(), events)
    assert MAX_POINTS <= len(history.curve) < 2 * MAX_POINTS
    assert history.curve[-1].step == 10_000
    in_one_go = fold(fold(RunHistory(), events[:777]), events[777:])
    assert in_one_go.curve == history.curve


def test_time_left_follows_the_rate() -> None:
    """Half of the steps left at a steady rate: the seconds it takes."""
    history = fold(RunHistory(), [_started(1_000), *(_report(step) for step in range(100, 1_001, 10))])
    assert history.steps == 2_000
    assert history.fraction == 0.5
    assert history.seconds_left == pytest.approx(1_000 * 4 / 400)


def test_not_finite_losses_are_gaps() -> None:
    """A loss that is no number is NaN in the curve, so that charts leave it out."""
    history = fold(RunHistory(), [_report(1), _report(2, loss=None)])
    assert math.isnan(history.curve[1].loss)


def test_best_is_the_earliest_of_equals() -> None:
    """The best held-out accuracy wins, and the first epoch that had it."""
    events = [
        Evaluated(step=step, epoch=1, images=10, correct=correct, loss=1.0)
        for step, correct in ((1, 5), (2, 7), (3, 7))
    ]
    history = fold(RunHistory(), list(events))
    assert history.best is not None
    assert history.best.step == 2


def test_log_is_bounded_and_counted() -> None:
    """Old lines are dropped, and how many there were is known, so that a reader can show what is new."""
    history = RunHistory()
    for number in range(1, 301):
        history = fold(history, [LossLogged(epoch=1, batch=number, loss=1.0)])
    assert len(history.log) == MAX_LINES
    assert history.log_length == 300
    assert history.log[-1] == "[1,   300] loss: 1.000"


def test_checkpoint_saved_during_a_pause_leaves_the_run_paused() -> None:
    """Saving is passed through; only running ends a pause."""
    history = RunHistory()
    told = []
    for state in ("running", "paused", "saving", "paused", "running", "saving", "running"):
        history = fold(history, [StateChanged(state=state)])
        told.append(history.paused)
    assert told == [False, True, True, True, False, False, False]
