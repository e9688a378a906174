"""The panel that explains, and the drawer that `?` opens where it has no room."""

from pathlib import Path

import msgspec
from textual.pilot import Pilot
from textual.widgets import Static

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import NotFiniteFound
from cifartui.training.run.folder import Run
from cifartui.training.run.history import ControlAnswer, RunHistory
from cifartui.tui.app import CifarApp
from cifartui.tui.run_topics import run_topic
from cifartui.tui.screens.explain import ExplainScreen
from cifartui.tui.view import RunView
from tests.tui.driving import LARGE, SMALL, shown, wait_for_text, wait_until


def lesson(pilot: Pilot[None]) -> str:
    """What the column or the drawer says, in one line."""
    return " ".join(str(pilot.app.screen.query_one("#lesson", Static).content).split())


async def test_the_column_follows_the_cursor(sketches: DatasetFacts) -> None:
    """Layer by layer with its own numbers and its own line of PyTorch; settings with theirs; and the keys below."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few")
        await pilot.press("2", "down")
        await wait_until(pilot, lambda: "self.conv1 = nn.Conv2d(3, 6, 5)" in lesson(pilot))
        assert "a window of 5 fits at 28 places" in lesson(pilot)
        assert "walks the window over a picture" in lesson(pilot)
        await pilot.press("down", "down")
        await wait_until(pilot, lambda: "nn.MaxPool2d(2, stride=2)" in lesson(pilot))
        assert "3 × 32 × 32" not in lesson(pilot)
        assert "keys" in lesson(pilot).rpartition("try")[2]
        await pilot.press("3", "end")
        await wait_until(pilot, lambda: "a seed repeats it" in lesson(pilot))
        assert "Allowed: a whole number" in lesson(pilot)


def test_a_run_is_told_by_what_it_does(tmp_path: Path) -> None:
    """Its step while it trains, what holds it, the curve once it has ended; another part where that was chosen."""
    running = RunView(Run(tmp_path), RunHistory(paused=False), "running")
    held = RunView(Run(tmp_path), RunHistory(paused=True), "paused")
    stepped = ControlAnswer("id", "step", "done", 3)
    stopped = NotFiniteFound(step=3, epoch=1, batch=3, what="the loss", skipped=1)
    assert run_topic(running, "loss", is_read=False).key == "screen.training.step"
    assert run_topic(running, "loss", is_read=True).key == "chart.loss"
    assert run_topic(running, "device", is_read=False).key == "screen.training.device"
    assert run_topic(held, "accuracy", is_read=True).key == "control.pause"
    one_step = msgspec.structs.replace(held, history=RunHistory(paused=True, controls=(stepped,)))
    assert run_topic(one_step, "loss", is_read=False).key == "control.step"
    in_trouble = msgspec.structs.replace(held, history=RunHistory(paused=True, trouble=stopped))
    assert run_topic(in_trouble, "loss", is_read=False).key == "control.rollback"
    assert run_topic(msgspec.structs.replace(held, state="stopped"), "loss", is_read=False).key == "chart.loss"


async def test_question_mark_opens_and_closes_it(sketches: DatasetFacts) -> None:
    """At 80×24: the thing under the cursor, the keys a key away, and other lessons with ← and →."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few")
        await pilot.press("2", "down", "question_mark")
        await wait_for_text(pilot, "conv1: why 28?")
        await pilot.press("tab")
        await wait_for_text(pilot, "on this screen")
        await pilot.press("right")
        await wait_for_text(pilot, "pool1: what is max pooling for?")
        await pilot.press("left")
        await wait_for_text(pilot, "conv1: why 28?")
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: not isinstance(pilot.app.screen, ExplainScreen))
        assert "conv1" in shown(pilot)
