"""What is said of a run: when the losses part, what an ended run came to, what to press next."""

import time
from typing import get_args

import msgspec
import pytest

from cifartui.training.run.events import (
    CheckpointSaved,
    EpochFinished,
    Event,
    LearningRateChanged,
    NotFiniteFound,
    Reason,
    RunFinished,
    SpeedMeasured,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
)
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.folding import fold
from cifartui.training.run.follow import Reading
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import RunState, stalled_seconds
from cifartui.tui.view import MARKS, RunView, read_on, recipe_of
from cifartui.tui.widgets.run_texts import facts_text, notes_text, parted, stop_question
from tests.training.running import plan, run_started
from tests.tui.driving import scripted_events


def epochs(*losses: tuple[float | None, float | None]) -> list[Event]:
    """Epochs of 100 steps with these training and held-out losses."""
    events: list[Event] = []
    for number, (training, held_out) in enumerate(losses, start=1):
        events += [
            EpochFinished(epoch=number, step=100 * number, loss=training, accuracy=0.9, seconds=2.0),
            Validated(step=100 * number, epoch=number, images=50, correct=30 + number % 3, loss=held_out),
        ]
    return events


def history_of(*events: Event) -> RunHistory:
    return fold(RunHistory(), list(events))


def reading_of(*events: Event) -> Reading:
    """A look at a run that a process carries, with these events in its journal."""
    history = history_of(*events)
    assert history.changed
    state = history.changed.state
    return Reading([], history, state, stalled_seconds(history, state), caught_up=True)


@pytest.fixture
def run(sketches: object) -> Run:
    """A run's folder."""
    return create_run(plan("few"))


def test_parted_losses_are_told_with_their_numbers() -> None:
    """Training goes on falling while held-out rises twice: overfitting, from its lowest point on."""
    parting = parted(history_of(*epochs((1.5, 1.4), (1.0, 1.1), (0.7, 1.2), (0.4, 1.4))))
    assert parting
    assert (parting.epoch, parting.lowest, parting.held_out) == (2, 1.1, 1.4)
    assert (parting.training_then, parting.training) == (1.0, 0.4)


def test_overfitting_is_said_below_the_curves(run: Run) -> None:
    """With its numbers, while the run lives and after."""
    view = RunView(run, history_of(*epochs((1.5, 1.4), (1.0, 1.1), (0.7, 1.2), (0.4, 1.4))), "running")
    text = notes_text(view).plain
    assert "Overfitting since epoch 2" in text
    assert "held-out loss 1.100 → 1.400, training loss 1.000 → 0.400" in text


@pytest.mark.parametrize(
    "losses",
    [
        [(1.5, 1.4), (1.0, 1.1)],
        [(1.5, 1.4), (1.0, 1.1), (0.7, 1.0)],
        [(1.5, 1.4), (1.0, 1.1), (0.7, 1.3)],  # once may be chance
        [(1.5, 1.4), (1.0, 1.1), (1.2, 1.3), (1.3, 1.4)],  # both rise: no overfitting, but too large steps
        [(1.5, 1.4), (1.0, 1.10), (0.7, 1.11), (0.4, 1.11)],
        [(None, None), (None, None), (None, None)],
    ],
)
def test_losses_that_have_not_parted_are_left_alone(losses: list[tuple[float | None, float | None]]) -> None:
    """Few epochs, one rise, both rising, hardly a rise, no numbers: nothing is said."""
    assert parted(history_of(*epochs(*losses))) is None


def test_ended_run_shows_its_last_epoch(run: Run) -> None:
    """Both losses and accuracies of the last epoch and the best step, not a mean of the last steps."""
    events = [*scripted_events(run.id, 3), *epochs((1.5, 1.4), (1.0, 1.1), (0.533, 1.2))]
    view = RunView(run, history_of(*events, RunFinished(reason="finished")), "finished")
    text = facts_text(view).plain
    rows = [line.split() for line in text.splitlines()]
    assert ["training", "0.533", "90.0%"] in rows
    assert ["held-out", "1.200", "60.0%"] in rows
    assert ["★", "at", "step", "200", "1.100", "64.0%"] in rows
    assert "images/s" not in text


@pytest.mark.parametrize("reason", ["finished", "stopped", "failed"])
def test_ended_run_says_what_to_press_next(run: Run, reason: Reason) -> None:
    """4 and f where there is a checkpoint, g, n and o always; of a failure the reason."""
    started = scripted_events(run.id, 3)[:-1]
    ended = RunFinished(reason=reason, message="the disk is full" if reason == "failed" else "")
    saved = CheckpointSaved(step=300, epoch=1, file="step-00000300.safetensors", bytes=1)
    with_checkpoint = notes_text(RunView(run, history_of(*started, saved, ended), reason)).plain
    without = notes_text(RunView(run, history_of(*started, ended), reason)).plain
    assert "4 evaluates it on the test images" in with_checkpoint
    assert "it saved no checkpoint" in without
    assert "4 evaluates" not in without
    for text in (with_checkpoint, without):
        assert "a another run · o all runs" in text
        assert ("g trains it for more epochs" in text) == (reason == "finished")
        assert ("g goes on" in text) == (reason != "finished")
        assert ("the disk is full" in text) == (reason == "failed")


def test_loss_of_no_steps_is_no_number(run: Run) -> None:
    """Right after a log line, no step was taken since."""
    events = scripted_events(run.id, 3)
    latest = msgspec.structs.replace(events[-2], running_loss=None)
    text = facts_text(RunView(run, history_of(*events[:-2], latest), "running")).plain
    assert "loss –" in text
    assert "not finite" not in text


def test_older_checkpoint_is_told_by_its_step(run: Run) -> None:
    """What was trained after the last checkpoint is not what 4 evaluates."""
    saved = CheckpointSaved(step=100, epoch=1, file="step-00000100.safetensors", bytes=1)
    events = [*scripted_events(run.id, 3)[:-1], saved, RunFinished(reason="stopped")]
    assert "4 evaluates it (saved at step 100)" in notes_text(RunView(run, history_of(*events), "stopped")).plain


def test_host_that_stands_still_is_told_instead_of_a_rate(run: Run) -> None:
    """Neither rate nor time left are shown of a run whose process gives no sign."""
    events = scripted_events(run.id, 3)
    now = time.time()
    told = [msgspec.structs.replace(event, time=now - 14 + place / 100) for place, event in enumerate(events)]
    moving = read_on(RunView(run), reading_of(*told, msgspec.structs.replace(events[-2], time=now)))
    still = read_on(RunView(run), reading_of(*told))
    paused = read_on(still, reading_of(*told, StateChanged(state="paused")))
    assert moving.state == still.state == "running"
    assert "images/s" in facts_text(moving).plain
    assert notes_text(moving).plain == ""
    assert "no step for 13 s" in facts_text(still).plain
    assert "images/s" not in facts_text(still).plain
    assert "left" not in facts_text(still).plain
    assert "has taken no step for" in notes_text(still).plain
    assert still.status == "● no step for 13 s"
    assert not paused.stalled


def test_last_warning_stands_below_the_curves_until_it_is_past(run: Run) -> None:
    """A checkpoint that could not be saved is told where it is seen, not in the log alone."""
    warned = Warned(message="the checkpoint of step 300 could not be saved: the disk is full")
    saved = scripted_events(run.id, 3)[-1]
    history = history_of(*scripted_events(run.id, 3), warned)
    assert "warning: the checkpoint of step 300" in notes_text(RunView(run, history, "running")).plain
    question = stop_question(history)
    assert "It has warned: the checkpoint of step 300" in question.warning
    assert "what it learned since step 300 is lost" in question.not_saving
    assert "the disk is full" not in notes_text(RunView(run, fold(history, [saved]), "running")).plain


def test_every_state_has_a_mark() -> None:
    """A new state has one too."""
    assert set(MARKS) == set(get_args(RunState))


def test_run_whose_last_report_is_folded_back_still_has_its_progress(run: Run) -> None:
    """Its epoch and step are those of the checkpoint; speed and loss are not known until it reports again."""
    start = run_started(50, epochs=2)
    view = RunView(run, history_of(start, msgspec.structs.replace(start, step=60)), "running")
    text = facts_text(view).plain
    assert view.history.latest is None
    assert "epoch 2/2 · step 60/100" in text
    assert "– images/s" in text
    assert "loss –" in text


def test_rate_is_that_of_the_last_word_whatever_the_clock_said() -> None:
    """A change of the rate after a report, both before and after a clock that was set back."""
    report = StepsReported(
        seq=1,
        time=7_200.0,
        step=7,
        epoch=1,
        loss=1.0,
        running_loss=1.0,
        accuracy=0.5,
        learning_rate=0.001,
        images_per_second=400.0,
    )
    turned = LearningRateChanged(seq=2, time=3_600.0, step=7, before=0.001, after=0.002)
    later = msgspec.structs.replace(report, seq=3, time=3_600.0, learning_rate=0.002)
    history = fold(RunHistory(), [run_started(seq=0), report, turned])
    assert history.learning_rate == 0.002
    assert fold(history, [later, msgspec.structs.replace(turned, seq=4, time=0.0, after=0.004)]).learning_rate == 0.004


def test_trouble_has_answers_while_the_run_lives(run: Run) -> None:
    """Afterwards what happened is still said, and what to press next; a failed run says it in its own sentence."""
    trouble = NotFiniteFound(step=7, epoch=1, batch=7, what="the loss", skipped=1)
    history = history_of(run_started(50), trouble)
    living = notes_text(RunView(run, history, "paused")).plain
    assert "space  go on with the next batch" in living
    assert "x      stop; then a sets up another run" in living
    ended = fold(history, [RunFinished(reason="stopped", message="at step 7")])
    stopped = notes_text(RunView(run, ended, "stopped")).plain
    assert "Step 7 (epoch 1, batch 7) made the loss nan or infinite." in stopped
    assert "space" not in stopped
    failed = fold(history, [RunFinished(reason="failed", message="the loss was not finite", cause="not finite")])
    assert "Step 7" not in notes_text(RunView(run, failed, "failed")).plain


def test_stopping_a_held_run_loses_nothing_that_is_saved(run: Run) -> None:
    """It was saved at the very step at which it is held."""
    history = history_of(*scripted_events(run.id, 60), StateChanged(state="paused"))
    assert stop_question(history).not_saving == "stop it without another; that of step 6,000 has it all"


def test_what_limits_the_speed_is_said_while_the_run_lives(run: Run) -> None:
    """Verdict, why, next; nothing before it was measured, of a run that ended, or without its settings."""
    started = msgspec.structs.replace(run_started(), device_type="cpu")
    measured = SpeedMeasured(step=10_000, steps=10_000, images=40_000, seconds=5, waiting=0.05, fixed=4)
    view = RunView(run, history_of(started, measured), "running", recipe=recipe_of(run))
    assert notes_text(view).plain == (
        "speed Launching small steps takes 80% of the time: of 0.5 ms a step, 0.4 ms do not depend on its images; "
        "more images a step, and a learning rate for them (y: batch_size=64)"
    )
    for other in (
        RunView(run, history_of(started), "running", recipe=recipe_of(run)),
        RunView(run, history_of(started, measured), "finished", recipe=recipe_of(run)),
        RunView(run, history_of(started, measured), "running"),
    ):
        assert "speed" not in notes_text(other).plain
