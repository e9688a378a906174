"""The fold of a journal: bounded, and true to what it leaves out."""

import msgspec
import pytest

from cifartui.training.run.curves import MAX_POINTS
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    LineDamaged,
    LossLogged,
    SpeedMeasured,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
)
from cifartui.training.run.folding import MAX_LINES, fold
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import stalled_seconds
from tests.training.running import run_started


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
    assert MAX_POINTS / 2 <= len(history.curve) <= MAX_POINTS
    assert sum(point.loss * point.reports for point in history.curve if point.loss) == pytest.approx(5_000.5)
    assert history.curve[-1].step == 10_000
    in_one_go = fold(fold(RunHistory(), events[:777]), events[777:])
    assert in_one_go.curve == history.curve


def test_time_left_follows_the_rate() -> None:
    """Half of the steps left at a steady rate: the seconds it takes."""
    history = fold(RunHistory(), [run_started(1_000), *(_report(step) for step in range(100, 1_001, 10))])
    assert history.steps == 2_000
    assert history.fraction == 0.5
    assert history.seconds_left == pytest.approx(1_000 * 4 / 400)


def test_points_tell_the_time_spent_training() -> None:
    """Of both curves; what lies between two reports and is no step of training counts for nothing."""
    validated = Validated(step=200, epoch=1, images=10, correct=5, loss=1.0)
    events = [run_started(1_000), _report(100), validated, msgspec.structs.replace(_report(200), time=9e9)]
    history = fold(RunHistory(), events)
    assert [point.seconds for point in history.curve] == [1.0, 2.0]
    assert [point.seconds for point in history.validation] == [1.0]
    wide = history.curve[0].merged(history.curve[1])
    assert (wide.step, wide.seconds) == (200, 2.0)


def test_not_finite_losses_are_gaps() -> None:
    """A loss that is no number is none in the curve, so that charts leave it out."""
    history = fold(RunHistory(), [_report(1), _report(2, loss=None)])
    assert history.curve[1].loss is None


def test_best_is_the_earliest_of_equals() -> None:
    """The best held-out accuracy wins, and the first epoch that had it."""
    events = [
        Validated(step=step, epoch=1, images=10, correct=correct, loss=1.0)
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


def test_time_left_does_not_jump_when_the_machine_is_busy_for_a_moment() -> None:
    """Fifteen seconds at a fifth of the rate: the rate shown follows, the time left grows by less than a third."""
    history = RunHistory()
    history = fold(history, [run_started(10_000)])
    step, told = 0, []
    for rate in [400.0] * 600 + [80.0] * 150:
        step += round(rate / 4 / 10)
        history = fold(history, [_report(step, rate=rate)])
        told.append(history.seconds_left or 0.0)
    assert history.images_per_second == pytest.approx(80, rel=0.05)
    assert told[-1] < 4 / 3 * told[599]
    assert told[-1] > told[599]


def test_time_left_of_a_new_run_is_that_of_all_its_steps() -> None:
    """The slow first step is outweighed within seconds: no long window that has yet to fill."""
    history = fold(RunHistory(), [run_started(10_000), _report(1, rate=4.0)])
    history = fold(history, [_report(step, rate=400.0) for step in range(11, 1_000, 10)])
    assert history.seconds_left == pytest.approx((20_000 - 991) / 100, rel=0.15)


def test_run_that_tells_nothing_has_stalled() -> None:
    """Five seconds of silence while running, more for one whose reports are slow; paused and ended runs are silent."""
    running = StateChanged(state="running", time=0.5)
    quick = fold(RunHistory(), [running, *(_report(step) for step in range(60, 1_001, 10))])
    assert stalled_seconds(quick, "running", now=14.9) is None
    assert stalled_seconds(quick, "running", now=24.0) == pytest.approx(14.0)
    assert stalled_seconds(quick, "paused", now=24.0) is None
    assert stalled_seconds(quick, "finished", now=24.0) is None
    assert stalled_seconds(quick, "running", now=3.0) is None  # a clock set back
    slow = fold(RunHistory(), [running, *(_report(step) for step in range(300, 3_001, 300))])
    assert stalled_seconds(slow, "running", now=80.0) is None
    assert stalled_seconds(slow, "running", now=100.0) == pytest.approx(70.0)
    logging = fold(slow, [LossLogged(epoch=1, batch=1, loss=1.0, time=90.0)])
    assert stalled_seconds(logging, "running", now=100.0) is None


def test_clock_set_back_makes_no_report_early_or_late() -> None:
    """What is usual between two reports stays so, and a stall is found by the clock as it is now."""
    hour, moments = 3_600.0, [step / 10 for step in range(10_000, 10_100)]
    before = [msgspec.structs.replace(_report(number), time=time) for number, time in enumerate(moments)]
    after = [msgspec.structs.replace(_report(100 + number), time=time - hour) for number, time in enumerate(moments)]
    history = fold(RunHistory(), [StateChanged(state="running", time=moments[0]), *before, after[0]])
    assert 0 <= history.report_seconds < 0.2
    history = fold(history, list(after[1:]))
    assert history.report_seconds == pytest.approx(0.1, abs=0.02)
    assert stalled_seconds(history, "running", now=moments[-1] - hour + 3) is None
    assert stalled_seconds(history, "running", now=moments[-1] - hour + 8) == pytest.approx(8)


def test_pause_is_no_slow_report() -> None:
    """An hour's pause does not make the next stall be found an hour late."""
    events = [_report(100), StateChanged(state="paused", time=1.1), StateChanged(state="running", time=3_600.0)]
    history = fold(RunHistory(), [*events, _report(360_010)])
    assert stalled_seconds(history, "running", now=3_620.0) == pytest.approx(19.9)


def test_log_tells_what_was_removed_and_what_is_damaged() -> None:
    """A pruned checkpoint with its reason; of many damaged lines the first."""
    pruned = CheckpointPruned(step=50, epoch=1, reason="newer ones are kept")
    damage: list[AnyEvent] = [LineDamaged(line=number, reason="rubbish") for number in (3, 9)]
    history = fold(RunHistory(), [pruned, *damage])
    assert history.log == (
        "checkpoint of step 50 removed: newer ones are kept",
        "warning: line 3 of the journal is damaged (rubbish) and was passed over",
    )
    assert history.damaged == damage[0]


def test_warning_is_past_once_a_checkpoint_is_saved() -> None:
    """What was warned of last stands until then."""
    history = fold(RunHistory(), [Warned(message="the disk is full")])
    assert history.warning == "the disk is full"
    assert fold(history, [CheckpointSaved(step=1, epoch=1, file="f", bytes=1)]).warning == ""


def test_speed_is_the_last_measured_by_the_process_that_carries_the_run() -> None:
    """A new start has not measured yet; its device may be another."""
    slow, fast = (SpeedMeasured(step=step, steps=10, images=40, seconds=5, waiting=1) for step in (10, 20))
    history = fold(RunHistory(), [run_started(seq=0), slow, fast])
    assert history.speed == fast
    assert fold(history, [run_started(seq=3, step=20)]).speed is None
