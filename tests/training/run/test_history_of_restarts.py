"""The fold of runs that are killed, taken up again, sent back and read through an index: as if nothing had happened."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cifartui.training.run.curves import MAX_POINTS
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    EpochFinished,
    EpochsChanged,
    LearningRateChanged,
    LossLogged,
    NotFiniteFound,
    RunFinished,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
    WentBack,
)
from cifartui.training.run.folder import Run
from cifartui.training.run.folding import fold
from cifartui.training.run.history import RunHistory
from cifartui.training.run.journal import Journal
from cifartui.training.run.points import StandingPoints
from tests.training.running import run_started

EPOCH, EPOCHS = 900, 2
"""Steps in an epoch: with 1,800 in all, a point of the curve stands for two."""


def undisturbed(chance: random.Random) -> Iterator[AnyEvent]:
    """What a run tells that is left alone, from its first step on; checkpoints now and then, also at the same step."""
    rate = 0.1
    for step in range(1, EPOCH * EPOCHS + 1):
        epoch, batch = (step - 1) // EPOCH + 1, (step - 1) % EPOCH + 1
        if batch % 100 == 0:
            yield LossLogged(epoch=epoch, batch=batch, loss=chance.random())
        if chance.random() < 0.7 or batch == EPOCH:
            loss = None if chance.random() < 0.01 else chance.random()
            yield StepsReported(
                step=step,
                epoch=epoch,
                loss=loss,
                running_loss=loss,
                accuracy=chance.random(),
                learning_rate=rate,
                images_per_second=chance.uniform(100, 1_000),
                finite=loss is not None,
            )
        if chance.random() < 0.005:
            yield saved(step)
        if batch == EPOCH:
            yield EpochFinished(epoch=epoch, step=step, loss=1.0, accuracy=chance.random(), seconds=9.0)
            yield Validated(step=step, epoch=epoch, images=100, correct=chance.randrange(100), loss=chance.random())
            yield saved(step)
        if chance.random() < 0.003:
            yield saved(step)
            yield LearningRateChanged(step=step, before=rate, after=rate / 2)
            rate /= 2


def saved(step: int) -> CheckpointSaved:
    return CheckpointSaved(step=step, epoch=1, file="f", bytes=1)


def numbered(events: list[AnyEvent]) -> list[AnyEvent]:
    """As a journal numbers and times them."""
    return [msgspec.structs.replace(event, seq=number, time=1e9 + number / 10) for number, event in enumerate(events)]


def disturbed(whole: list[AnyEvent], chance: random.Random, times: int) -> list[AnyEvent]:
    """The same run, killed or sent back so many times, each time to one of its checkpoints or to the beginning."""
    start = run_started(EPOCH, epochs=EPOCHS)
    told: list[AnyEvent] = [StateChanged(state="starting"), start, StateChanged(state="running")]
    place = 0  # in the undisturbed run
    for _ in range(times):
        end = chance.randrange(place, len(whole) + 1)
        told += whole[place:end]
        places = {
            event.step: number + 1 for number, event in enumerate(whole[:end]) if isinstance(event, CheckpointSaved)
        }
        step, place = chance.choice([(0, 0), *places.items()])
        if chance.random() < 0.3 and step:
            told.append(WentBack(step=step, epoch=1, left=EPOCH))
            continue
        if chance.random() < 0.5:
            told.append(RunFinished(reason="stopped", message="as asked"))
        told += [
            StateChanged(state="starting"),
            msgspec.structs.replace(start, step=step),
            StateChanged(state="running"),
        ]
    return [*told, *whole[place:]]


def told_of(history: RunHistory) -> tuple[object, ...]:
    """What must not depend on how often a run was taken up again: not the time, which is that of reported steps."""
    log = [line for line in history.log if not line.startswith(("going on", "went back"))]
    bare = [
        [msgspec.structs.replace(event, seq=0, time=0.0) for event in events]
        for events in (history.epochs, history.checkpoints, history.rate_changes)
    ]
    curves = [[point._replace(seconds=0.0) for point in curve] for curve in (history.curve, history.validation)]
    return (history.step, *curves, log, *bare)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), times=st.integers(1, 4))
@example(seed=2265, times=1)
def test_run_taken_up_again_has_the_history_of_one_left_alone(seed: int, times: int) -> None:
    """Curves, log lines, epochs, validation, checkpoints and rate changes, however often it was killed or sent back."""
    chance = random.Random(seed)
    whole = list(undisturbed(chance))
    left_alone = fold(RunHistory(), numbered(disturbed(whole, chance, times=0)))
    assert len(left_alone.curve) > MAX_POINTS / 2
    assert left_alone.steps_per_point == 2
    again = fold(RunHistory(), numbered(disturbed(whole, chance, times)))
    assert told_of(again) == told_of(left_alone)
    assert again.finished is None
    assert again.fraction == 1


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(0, 4))
def test_points_that_stand_are_those_of_a_run_left_alone(home: Path, seed: int, times: int) -> None:
    """Every single one, in order, however often the run was killed or sent back."""
    chance = random.Random(seed)
    whole = list(undisturbed(chance))
    run = Run(Path(tempfile.mkdtemp(dir=home.parent)))
    journal = Journal(run.journal_file)
    for event in disturbed(whole, chance, times):
        journal.append(event)
    points = [msgspec.structs.replace(point, seq=-1, time=0.0) for point in StandingPoints(run)]
    assert points == [event for event in whole if isinstance(event, StepsReported | Validated)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_history_kept_as_json_goes_on_as_if_it_had_not_been(seed: int, cuts: list[float]) -> None:
    """Folding on from a fold written down anywhere equals folding from the beginning, whatever was told."""
    chance = random.Random(seed)
    events = disturbed(list(undisturbed(chance)), chance, times=2)
    more: list[AnyEvent] = [
        ControlAcknowledged(control="a", command="step", step=1),
        ControlDone(control="a", command="step", step=1),
        ControlRefused(control="b", command="rate", step=1, reason="No."),
        EpochsChanged(step=1, before=2, after=7),
        NotFiniteFound(step=1, epoch=1, batch=1, what="the loss", skipped=1),
        StateChanged(state="paused"),
        StateChanged(state="saving"),
        Warned(message="hot"),
        WentBack(step=chance.randrange(EPOCH), epoch=1, left=EPOCH),
        *(
            CheckpointPruned(step=event.step, epoch=1, reason="old")
            for event in events
            if isinstance(event, CheckpointSaved)
        ),
        *(ControlAcknowledged(control=str(number), command="pause", step=1) for number in range(30)),
    ]
    for event in more:
        events.insert(chance.randrange(len(events)), event)
    events = numbered(events)
    in_pieces, begin = RunHistory(), 0
    for end in [*sorted(round(cut * len(events)) for cut in cuts), len(events)]:
        kept = msgspec.json.encode(fold(in_pieces, events[begin:end]))
        in_pieces, begin = msgspec.json.decode(kept, type=RunHistory), end
    assert in_pieces == fold(RunHistory(), events)


def test_second_start_is_an_ordinary_event() -> None:
    """The end of the first is past, and so are its trouble, its pause and its warning; the parent stays."""
    first = run_started(50, parent="p@0")
    trouble = NotFiniteFound(step=7, epoch=1, batch=7, what="the loss", skipped=1)
    events: list[AnyEvent] = [first, StateChanged(state="running"), Warned(message="hot"), trouble]
    held = fold(RunHistory(), [*events, StateChanged(state="paused")])
    assert (held.trouble, held.paused, held.warning) == (trouble, True, "hot")
    ended = fold(held, [RunFinished(reason="failed", cause="not finite")])
    assert ended.finished is not None
    assert ended.trouble == trouble
    starting = fold(ended, [StateChanged(state="queued")])
    assert (starting.finished, starting.trouble) == (None, None)
    again = fold(held, [run_started(50, epochs=4)])  # its process was killed
    assert (again.finished, again.trouble, again.paused, again.warning) == (None, None, False, "")
    assert (again.parent, again.epochs_asked, again.steps) == ("p@0", 4, 200)


def test_what_came_of_commands_goes_with_the_steps_it_tells_of() -> None:
    """Those after the checkpoint when the run goes back to it, but for the one that it carries out; all at a start."""
    steps = ("early", 20), ("late", 40)
    events: list[AnyEvent] = [run_started(50)]
    events += [ControlDone(control=name, command="checkpoint", step=step) for name, step in steps]
    events.append(ControlAcknowledged(control="back", command="rollback", step=40))
    went_back = fold(RunHistory(), [*events, WentBack(step=20, epoch=1, left=40)])
    assert [(answer.id, answer.outcome) for answer in went_back.controls] == [("early", "done"), ("back", "taken")]
    assert fold(went_back, [run_started(50, step=20)]).controls == ()


def test_going_on_from_an_unknown_checkpoint_keeps_what_came_before() -> None:
    """Of a checkpoint of which the journal does not tell, nothing is remembered: later points go, earlier ones stay."""
    reports: list[AnyEvent] = [
        StepsReported(step=step, epoch=1, loss=1, running_loss=1, accuracy=1, learning_rate=1, images_per_second=400)
        for step in (10, 20, 30, 40)
    ]
    history = fold(RunHistory(), numbered([run_started(50), *reports, run_started(50, step=25)]))
    assert [point.step for point in history.curve] == [10, 20]
    assert history.step == 25
    assert history.trained_seconds == 0.4 * 25 / 40
    assert history.log == ("going on after step 25",)


def test_what_came_of_commands_is_kept() -> None:
    """Taken, done or refused with the reason; the last twenty."""
    events: list[AnyEvent] = [
        ControlAcknowledged(control="a", command="step", step=1),
        ControlAcknowledged(control="b", command="rate", step=1),
        ControlRefused(control="b", command="rate", step=1, reason="No."),
        ControlDone(control="a", command="step", step=3),
    ]
    history = fold(RunHistory(), events)
    assert [(answer.id, answer.outcome, answer.step, answer.reason) for answer in history.controls] == [
        ("a", "done", 3, ""),
        ("b", "refused", 1, "No."),
    ]
    many = fold(history, [ControlAcknowledged(control=str(number), command="pause", step=1) for number in range(30)])
    assert [answer.id for answer in many.controls] == [str(number) for number in range(10, 30)]
