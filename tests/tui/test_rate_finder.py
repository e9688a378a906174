"""The learning-rate finder's screen: the curve as it comes, the suggestions, one of them put into the settings."""

import json
from pathlib import Path

from cifartui.dataset.store import DatasetFacts
from cifartui.tui.app import CifarApp
from tests.tui.driving import SMALL, shown, text_of, wait_for_text, wait_until

GIVEN = """
import json, pathlib, sys, time
pathlib.Path({asked!r}).write_text(json.dumps(sys.argv[1:]))
for number in range(1, {rates} + 1):
    rate = 1e-7 * 10 ** (number / 19)
    loss = 2.3 if rate < 1e-4 else 2.3 - rate * 100 if rate < 0.01 else 1.3 + rate
    point = {{"type": "RateTried", "number": number, "rate": rate, "loss": loss, "smoothed": loss}}
    print(json.dumps(point), flush=True)
{ending}
"""
FOUND = {
    "type": "RatesFound",
    "suggestions": [
        {"rule": "valley", "rate": 0.0023, "why": "the middle of the longest fall of the loss"},
        {"rule": "steepest", "rate": 0.0087, "why": "where the loss falls fastest"},
    ],
}
NONE = {"type": "RatesFound", "suggestions": [], "problem": "The loss fell at no learning rate: try something else."}


def finder(program: Path, ending: str, rates: int = 150) -> Path:
    """A finder that has its curve from a formula; where it notes with what it was asked."""
    asked = program.with_name("asked.json")
    program.write_text(GIVEN.format(asked=str(asked), rates=rates, ending=ending))
    return asked


async def test_find_a_rate_and_use_it(sketches: DatasetFacts, program: Path) -> None:
    """l asks for the run in hand; arrows mark the other suggestion, enter puts the marked one into the settings."""
    asked = finder(program, f"print({json.dumps(FOUND)!r})")
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        await pilot.press("down", "down", "l")
        await wait_for_text(pilot, "use it")
        screen = shown(pilot)
        assert "┃ valley    0.0023" in screen
        assert "┆ steepest  0.0087" in screen
        assert "1e-06" in screen
        assert "now       0.001" in screen
        assert {"--recipe=tutorial", "--dataset=few", "--seed=1", "--device=auto"} < set(json.loads(asked.read_text()))
        await pilot.press("right")
        await wait_for_text(pilot, "┃ steepest  0.0087")
        await pilot.press("enter")
        await wait_for_text(pilot, "optimizer.learning_rate is 0.0087 now")
        assert pilot.app.recipe.optimizer.learning_rate == 0.0087
        assert "● 1 changed" in text_of(pilot, "#plan-title")
        await pilot.press("l")
        await wait_for_text(pilot, "now       0.0087")
        assert "--set=optimizer.learning_rate=0.0087" in json.loads(asked.read_text())


async def test_leaving_ends_the_finder_and_changes_nothing(sketches: DatasetFacts, program: Path) -> None:
    """esc in the middle goes back at once; the child is gone."""
    finder(program, f"time.sleep(60); print({json.dumps(FOUND)!r})", rates=40)
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        before = pilot.app.recipe
        await pilot.press("l")
        await wait_for_text(pilot, "40 of 150 learning rates")
        child = pilot.app.screen._child  # type: ignore[attr-defined]
        await pilot.press("enter", "right", "escape")
        await wait_for_text(pilot, "network = tutorial")
        await wait_until(pilot, lambda: child.exit_code is not None, seconds=10)
        assert pilot.app.recipe == before


async def test_no_suggestion_is_a_sentence(sketches: DatasetFacts, program: Path) -> None:
    """There is nothing to put into the settings then; r goes up once more, and what goes wrong is said."""
    finder(program, f"print({json.dumps(NONE)!r})")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        await pilot.press("l")
        await wait_for_text(pilot, "The loss fell at no learning rate")
        assert "use it" not in shown(pilot)
        finder(program, "sys.exit('cifartui: The memory does not suffice.')", rates=3)
        await pilot.press("g")
        await wait_for_text(pilot, "The memory does not suffice.")
