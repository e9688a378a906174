"""What is said of events: one home, and nobody's event is forgotten."""

from typing import get_args

import pytest

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
    LineDamaged,
    LossLogged,
    MemoryExhausted,
    NotFiniteFound,
    Queued,
    RunFinished,
    SpeedMeasured,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
    WentBack,
)
from cifartui.training.run.sentences import facts_of, sentences_of
from tests.training.running import run_started

TOLD: list[tuple[AnyEvent, tuple[str, ...]]] = [
    (run_started(step=70), ("going on after step 70",)),
    (ControlDone(control="a", command="pause", step=5), ("paused",)),
    (Queued(behind=("first", "second")), ("waiting for first, second",)),
    (LossLogged(epoch=1, batch=2000, loss=2.1049), ("[1,  2000] loss: 2.105",)),
    (Validated(step=50, epoch=1, images=2_000, correct=1_000, loss=None), ("epoch 1: 50.0% of 2,000 held-out images",)),
    (CheckpointSaved(step=50, epoch=1, file="f", bytes=1_000), ("checkpoint saved at step 50 (1,000 bytes)",)),
    (CheckpointPruned(step=50, epoch=1, reason="old"), ("checkpoint of step 50 removed: old",)),
    (ControlRefused(control="a", command="step", step=5, reason="Pause first."), ("step refused: Pause first.",)),
    (LearningRateChanged(step=5, before=0.001, after=0.0005), ("learning rate 0.001 → 0.0005 after step 5",)),
    (
        Validated(step=5, epoch=2, images=200, correct=150, raw_correct=140, loss=1.0),
        ("epoch 2: 75.0% of 200 held-out images (weights of the last step: 70.0%)",),
    ),
    (EpochsChanged(step=5, before=2, after=4), ("epochs 2 → 4",)),
    (WentBack(step=50, epoch=1, left=70), ("went back from step 70 to the checkpoint of step 50",)),
    (
        NotFiniteFound(step=7, epoch=1, batch=7, what="the loss", skipped=1),
        ("the loss was not finite at step 7 (epoch 1, batch 7); its update was not applied",),
    ),
    (
        NotFiniteFound(step=7, epoch=1, batch=7, what="fc3.bias", skipped=3),
        ("fc3.bias was not finite at step 7 (epoch 1, batch 7); the updates of 3 steps were not applied",),
    ),
    (MemoryExhausted(step=3, batch_size=512, fits=64), ("out of memory after step 3: of 512 images at once, 64 fit",)),
    (
        MemoryExhausted(step=3, batch_size=512, fits=0),
        ("out of memory after step 3: of 512 images at once, not even one fits",),
    ),
    (Warned(message="hot"), ("warning: hot",)),
    (
        LineDamaged(line=3, reason="torn"),
        ("warning: line 3 of the journal is damaged (torn) and was passed over",),
    ),
    (RunFinished(reason="finished"), ("Finished Training",)),
    (RunFinished(reason="finished", message="well"), ("Finished Training", "well")),
    (RunFinished(reason="stopped", message="at step 5, as asked"), ("stopped at step 5, as asked",)),
    (RunFinished(reason="failed", message="the disk is full"), ("failed: the disk is full",)),
]
NOT_TOLD: list[AnyEvent] = [
    run_started(),  # its facts are told where they are not in view
    StateChanged(state="running"),
    StateChanged(state="paused"),  # after each single step, too
    StateChanged(state="queued"),  # followed by for whom
    StepsReported(
        step=1, epoch=1, loss=1, running_loss=1, accuracy=1, learning_rate=1, images_per_second=1
    ),  # drawn as curves
    SpeedMeasured(step=1, steps=1, images=4, seconds=1, waiting=0),  # judged where the run is shown
    EpochFinished(epoch=1, step=50, loss=1, accuracy=1, seconds=1),  # in the table of the end, and the epoch's number
    ControlAcknowledged(control="a", command="step", step=5),  # shown where the command was given
    ControlDone(control="a", command="step", step=5),
]


@pytest.mark.parametrize(("event", "lines"), TOLD)
def test_what_is_told(event: AnyEvent, lines: tuple[str, ...]) -> None:
    """Word for word."""
    assert sentences_of(event) == lines


@pytest.mark.parametrize("event", NOT_TOLD)
def test_what_is_shown_in_other_ways_is_not_told(event: AnyEvent) -> None:
    """No line in the log."""
    assert sentences_of(event) == ()


def test_every_event_is_told_or_meant_not_to_be() -> None:
    """A new event has its place above."""
    assert {type(event) for event, _ in TOLD} | set(map(type, NOT_TOLD)) == set(get_args(AnyEvent))


def test_start_says_where_it_goes_on() -> None:
    """After a checkpoint of its own, or of another run."""
    forked = run_started(step=70, parent="20261124-tutorial-abc@70")
    assert sentences_of(forked) == ("going on after step 70 of 20261124-tutorial-abc@70",)
    taken_up_again = run_started(step=90, parent="20261124-tutorial-abc@70")
    assert sentences_of(taken_up_again) == ("going on after step 90",)


def test_facts_of_a_start() -> None:
    """Device and why, network, data set and lengths."""
    assert facts_of(run_started()) == (
        "device: cpu: asked for",
        "training tutorial (62,006 parameters) on few: 200 images, batch 4, 2 epochs of 50 steps",
    )
