"""Steering the run in view: what became of each key, what is asked first, trouble and its answers."""

from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import UsageError
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointSaved,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    EpochsChanged,
    LearningRateChanged,
    MemoryExhausted,
    NotFiniteFound,
    Queued,
    StateChanged,
)
from cifartui.training.run.folder import Run
from cifartui.training.run.folding import fold
from cifartui.training.run.history import RunHistory
from cifartui.tui.app import CifarApp
from cifartui.tui.view import RunView
from cifartui.tui.widgets.control_texts import controls_text, epochs_of, rate_of, steps_of
from cifartui.tui.widgets.dialogs import TextDialog
from cifartui.tui.widgets.run_texts import facts_text
from cifartui.tui.widgets.trouble_texts import trouble_text
from tests.tui.driving import (
    SMALL,
    control_lines,
    scripted_events,
    scripted_run,
    shown,
    text_of,
    wait_for_text,
    wait_until,
)

NOT_FINITE = NotFiniteFound(step=6_001, epoch=1, batch=6_001, what="the loss", skipped=1)


def history_of(*events: AnyEvent) -> RunHistory:
    return fold(RunHistory(), [*scripted_events("tutorial-k3f", 60), *events])


def last_id(run: Run) -> str:
    """Of the last command that was sent."""
    return control_lines(run).splitlines()[-1].partition('"id":"')[2].partition('"')[0]


# WHAT BECAME OF A KEY


async def test_key_is_sent_taken_and_done_in_one_place(sketches: DatasetFacts) -> None:
    """Each word as soon as it is so; the next key's comes before it; a refusal has its sentence."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "space pause")
            await pilot.press("plus")
            await wait_until(pilot, lambda: '"to":"up"' in control_lines(run))
            await wait_for_text(pilot, "learning rate sent")
            rate = last_id(run)
            journal.append(ControlAcknowledged(control=rate, command="rate", step=6_000))
            await wait_for_text(pilot, "learning rate taken at step 6,000")
            journal.append(LearningRateChanged(step=6_000, before=0.001, after=0.002))
            journal.append(ControlDone(control=rate, command="rate", step=6_000))
            await wait_for_text(pilot, "learning rate 0.001 → 0.002, done at step 6,000")
            await wait_for_text(pilot, "· lr 0.002")
            await pilot.press("k")
            await wait_until(pilot, lambda: '"command":"checkpoint"' in control_lines(run))
            await wait_for_text(pilot, "checkpoint sent")
            reason = "The checkpoint could not be saved: the disk is full."
            journal.append(ControlRefused(control=last_id(run), command="checkpoint", step=6_010, reason=reason))
            await wait_for_text(pilot, "checkpoint refused: The checkpoint could not be saved")
            assert "sent" not in text_of(pilot, "#controls")


def test_what_another_did_is_told_from_the_journal_alone() -> None:
    """Commands that this program never sent, the newest first, three at most."""
    events: list[AnyEvent] = []
    for number in range(5):
        events.append(ControlDone(control=f"{number}", command="checkpoint", step=6_000 + number))
    text = controls_text(history_of(*events), [], 120).plain
    assert text.startswith("✓ checkpoint, done at step 6,004   ✓")
    assert text.count("checkpoint") == 3
    assert controls_text(history_of(*events), [], 78).plain.count("checkpoint") == 2


async def test_values_are_typed_and_checked(sketches: DatasetFacts) -> None:
    """A learning rate, epochs and steps; what cannot be meant is refused where it was typed."""
    run, journal = scripted_run(sketches.name)
    journal.append(StateChanged(state="paused"))
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "space go on")

            async def answer(key: str, *texts: str) -> None:
                await pilot.press(key)
                await wait_until(pilot, lambda: isinstance(pilot.app.screen, TextDialog))
                for text in texts:
                    pilot.app.screen.query_one(Input).value = text
                    await pilot.press("enter")

            await answer("equals_sign", "fast", "0.05")
            await answer("v", "0", "3")
            await answer("greater_than_sign", "25")
            await pilot.press("full_stop")
            await wait_until(pilot, lambda: len(control_lines(run).splitlines()) == 4)
            lines = control_lines(run).splitlines()
            sent = ('"to":0.05', '"epochs":3', '"steps":25', '"command":"step"')
            assert all(part in line for part, line in zip(sent, lines, strict=True))


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "101"])
def test_learning_rates_that_cannot_be_meant_are_refused(text: str) -> None:
    """With what is allowed instead."""
    with pytest.raises(UsageError, match="a number above 0 and at most 100"):
        rate_of(text)


def test_counts_may_have_commas_and_no_fractions() -> None:
    """As they are shown."""
    assert steps_of(" 1,000 ").steps == 1_000
    with pytest.raises(UsageError, match="a whole number, at least 1"):
        epochs_of("1.5")


def test_each_change_of_the_rate_is_told_with_its_own_numbers() -> None:
    """Also where two were made at the same step."""
    events: list[AnyEvent] = []
    for control, before, after in (("a", 0.1, 0.2), ("b", 0.2, 0.3)):
        events.append(LearningRateChanged(step=5, before=before, after=after))
        events.append(ControlDone(control=control, command="rate", step=5))
    text = controls_text(fold(RunHistory(), events), [], 200).plain
    assert text.startswith("✓ learning rate 0.2 → 0.3, done at step 5   ✓ learning rate 0.1 → 0.2, done at step 5")


# TROUBLE


async def test_trouble_is_told_with_its_answers(sketches: DatasetFacts) -> None:
    """What happened at which step, and a key for each answer; b rolls back. Without trouble there is no such key."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "space pause")
            await pilot.press("b", "y")
            journal.append(NOT_FINITE)
            journal.append(StateChanged(state="paused"))
            text = " ".join((await wait_for_text(pilot, "with half the rate")).split())
            assert "Step 6,001 (epoch 1, batch 6,001) made the loss nan or infinite." in text
            assert "back to the checkpoint of step 6,000, on with half the rate: 0.0005" in text
            assert control_lines(run) == ""
            await pilot.press("b")
            await wait_until(pilot, lambda: '"command":"rollback"' in control_lines(run))


def test_memory_is_told_with_what_fits() -> None:
    """In parts, again, or stop; where not even one image fits, in parts is no answer."""
    text = trouble_text(history_of(MemoryExhausted(step=6_000, batch_size=512, fits=128))).plain
    assert "y      on in parts of 128 images, one update for all 512" in text
    assert "Out of memory after step 6,000" in text
    nothing_fits = trouble_text(history_of(MemoryExhausted(step=6_000, batch_size=512, fits=0))).plain
    assert "not even one fits" in nothing_fits
    assert "in parts" not in nothing_fits


def test_without_a_checkpoint_there_is_no_way_back() -> None:
    """Only on, or stop."""
    events = [event for event in scripted_events("tutorial-k3f", 60) if not isinstance(event, CheckpointSaved)]
    text = trouble_text(fold(RunHistory(), [*events, NOT_FINITE])).plain
    assert "back to" not in text
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["space", "x"]


# WHAT ELSE IS SHOWN


async def test_queued_run_says_behind_whom_and_can_be_taken_out(sketches: DatasetFacts) -> None:
    """And can be told nothing else."""
    run, journal = scripted_run(sketches.name, steps=0)
    run.journal_file.write_bytes(b"")
    journal.append(StateChanged(state="queued"))
    journal.append(Queued(behind=("20261124-1200-tutorial-k3f",)))
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "waits for tutorial-k3f")
            assert "space pause" not in shown(pilot)
            await pilot.press("x")
            await wait_for_text(pilot, "out of the queue?")
            await pilot.press("enter")
            await wait_until(pilot, lambda: '"command":"stop"' in control_lines(run))


def test_facts_follow_epochs_and_parent() -> None:
    """As the journal has them."""
    starting, started, *rest = scripted_events("quick-a1b", 60)
    forked = msgspec.structs.replace(started, parent="20261124-1200-tutorial-k3f@12500")
    history = fold(RunHistory(), [starting, forked, *rest, EpochsChanged(step=6_000, before=2, after=5)])
    text = facts_text(RunView(Run(Path("quick-a1b")), history, "running")).plain
    assert "epoch 1/5 · step 6,000/62,500" in text
    assert "from tutorial-k3f@12500" in text
