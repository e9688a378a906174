"""Ended runs go on and are forked; what starts while another trains waits its turn: with real hosts."""

import os
import signal

import pytest
from textual.pilot import Pilot

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import RunStarted
from cifartui.training.run.folder import all_runs
from cifartui.training.run.journal import JournalReader
from cifartui.training.run.queue import queue_of_home
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.plan_panel import PlanPanel
from tests.tui.driving import LARGE, SMALL, wait_for_text, wait_until


async def start(pilot: Pilot[None], *, epochs: int) -> None:
    """Start the tutorial's recipe on the few sketches."""
    await pilot.press("3")
    await wait_for_text(pilot, "recipe tutorial")
    pilot.app.screen.query_one(PlanPanel).set_value("epochs", str(epochs))
    await pilot.press("enter")


async def test_ended_run_goes_on_and_is_forked_by_keyboard(sketches: DatasetFacts) -> None:
    """A finished run asks for more epochs and has them trained; a fork has its parent's settings, and names it."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await start(pilot, epochs=1)
        await wait_for_text(pilot, "g trains it for more epochs")
        parent = pilot.app.run_view.run
        await pilot.press("g")
        await wait_for_text(pilot, "Epochs in all:")
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ finished")
        await wait_for_text(pilot, "epoch 2/2 · step 100/100")
        assert [run.id for run in all_runs()] == [parent.id]
        await pilot.press("A")
        await wait_for_text(pilot, "step 50 ")
        await pilot.press("down", "enter")
        await wait_for_text(pilot, "fork of")
        panel = pilot.app.screen.query_one(PlanPanel)
        with pytest.raises(Exception, match="A fork has the batch_size of its parent"):
            panel.set_value("batch_size", "8")
        panel.set_value("optimizer.learning_rate", "0.01")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(all_runs()) == 2)
        await wait_for_text(pilot, f"from {parent.id[14:]}@50")
        await wait_for_text(pilot, "✓ finished")
        await wait_for_text(pilot, "lr 0.01")


async def test_killed_run_goes_on_with_one_key(sketches: DatasetFacts) -> None:
    """From its beginning where it saved nothing; it says so before."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await start(pilot, epochs=2_000)
        await wait_for_text(pilot, "● running")
        await wait_for_text(pilot, "checkpoint saved at step")
        await pilot.press("space")
        await wait_for_text(pilot, "✓ pause, done at step")
        run, started = pilot.app.run_view.run, pilot.app.run_view.history.started
        assert run
        assert started
        os.kill(started.host_pid, signal.SIGKILL)
        await wait_for_text(pilot, "✗ interrupted")
        await pilot.press("g")
        await wait_for_text(pilot, "● running")
        begun = [event for event in JournalReader(run.journal_file).read_new() if isinstance(event, RunStarted)]
        assert [event.step > 0 for event in begun] == [False, True]
        await pilot.press("x")
        await wait_for_text(pilot, "let it go on")
        await pilot.press("enter")
        await wait_for_text(pilot, "■ stopped")


async def test_second_run_waits_its_turn_or_starts_at_once(sketches: DatasetFacts) -> None:
    """Who is asked says which; the queued one names whom it waits for, and is taken out."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await start(pilot, epochs=2_000)
        await wait_for_text(pilot, "● running")
        first = pilot.app.run_view.run
        await pilot.press("a", "enter")
        await wait_for_text(pilot, "trains now.")
        await pilot.press("escape", "enter")
        await wait_for_text(pilot, "trains now.")
        await pilot.press("enter")
        await wait_for_text(pilot, f"waits for {first.id[14:]}")
        assert len(queue_of_home()) == 2
        await pilot.press("x")
        await wait_for_text(pilot, "out of the queue?")
        await pilot.press("enter")
        await wait_for_text(pilot, "■ stopped")
        pilot.app.follow_run(first)
        await wait_for_text(pilot, "● running")
        await pilot.press("x")
        await wait_for_text(pilot, "let it go on")
        await pilot.press("d")
        await wait_for_text(pilot, "■ stopped")
