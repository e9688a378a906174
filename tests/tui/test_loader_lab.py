"""The loader lab: bars as they are measured, a verdict, and the winner put into the recipe in hand."""

from pathlib import Path

from cifartui.dataset.store import DatasetFacts
from cifartui.training.loading.loader_results import Measured
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.loader_lab import bars_text
from tests.tui.driving import SMALL, shown, wait_for_text, wait_until

SHORT = """
import sys
from cifartui.cli.main import run_command
from cifartui.training.loading import loader_lab
loader_lab.SECONDS, loader_lab.REPETITIONS, loader_lab.LEAST_ORDER_IMAGES = 0.02, 1, 1_000
sys.exit(run_command(sys.argv[1:]))
"""


async def test_measure_and_use_the_winner(sketches: DatasetFacts, program: Path) -> None:
    """l measures for real in a child process, in hundredths of a second; y puts the winner into the recipe in hand."""
    program.write_text(SHORT)
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "few · training images")
        pilot.app.recipe = type(pilot.app.recipe)(
            network="tutorial",
            epochs=1,
            batch_size=4,
            loader=type(pilot.app.recipe.loader)("dataloader", 2),
            normalize=pilot.app.recipe.normalize,
            optimizer=pilot.app.recipe.optimizer,
        )
        await pilot.press("l")
        await wait_for_text(pilot, "DataLoader, 0 workers")
        await wait_for_text(pilot, "y use this")
        assert "Resident tensors load" in shown(pilot)
        await pilot.press("y")
        assert pilot.app.recipe.loader.kind == "resident"
        await pilot.press("escape")
        await wait_for_text(pilot, "few · training images")


async def test_leaving_ends_the_measurement(sketches: DatasetFacts) -> None:
    """escape during a measurement goes back at once."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("l")
        await wait_for_text(pilot, "resident")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "few · training images" in shown(pilot), seconds=10)


def test_bars_are_shares_of_the_best() -> None:
    """The best fills the line, half of it takes half, and what could not be measured says why."""
    measured = [
        Measured("resident", 0, 4, 1000.0, (1000.0, 1000.0)),
        Measured("dataloader", 2, 4, 500.0, (500.0, 500.0)),
        Measured("dataloader", 4, 4, 0.0, (0.0, 0.0), "a worker died"),
    ]
    lines = bars_text(measured, 80).plain.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].count("█") == 2 * lines[2].count("█") + lines[2].count("▌")
    assert "not measured: a worker died" in lines[3]


def test_slow_ways_of_loading_have_bars_of_their_own() -> None:
    """A bar grows in eighths of a cell, so that far from the best the faster one is still the longer one."""
    speeds = (1_087.0, 7_483.0, 120_000.0)
    lines = bars_text([Measured("dataloader", 2, 4, speed, (speed, speed)) for speed in speeds], 80).plain.splitlines()
    bars = [line.split()[-1] for line in lines[1:]]
    assert bars[:2] == ["▎", "█▉"]
