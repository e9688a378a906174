"""The evaluation screen, and the whole path by keyboard on a run that really trains."""

from pathlib import Path

import torch
from textual.widgets import Input

from cifartui.dataset.store import DatasetFacts
from cifartui.evaluation.results import from_confusion
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.evaluation import NARROW_BAR_CELLS, classes_text, confusion_text
from tests.conftest import CLASSES
from tests.training.running import plan, train_here
from tests.tui.driving import LARGE, SMALL, text_of, wait_for_notice, wait_for_text, wait_until


async def test_whole_path_by_keyboard_on_real_training(sketches: DatasetFacts) -> None:
    """Choose the data set, start, watch it finish, evaluate its last checkpoint: real host, real child process."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("enter", "3")
        await wait_for_text(pilot, "data set few")
        await pilot.press("enter")
        await wait_for_text(pilot, "loading torch")
        await wait_for_text(pilot, "step 100/100")
        await wait_for_text(pilot, "✓ finished")
        await pilot.press("4")
        await wait_for_text(pilot, "step 100 last")
        await pilot.press("enter")
        text = await wait_for_text(pilot, " of 100   (95 %:")
        assert all(name in text for name in CLASSES)
        await pilot.press("c")
        text = await wait_for_text(pilot, "rows: true")
        assert "airp auto bird" in " ".join(text.split())


async def test_file_that_does_not_fit_is_a_sentence(sketches: DatasetFacts, tmp_path: Path) -> None:
    """f, a path: the sentence of the command is shown, and the screen goes on."""
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "odd.pth")
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "no checkpoints yet")
        await pilot.press("f")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "odd.pth")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "conv1.weight is 1 and should be 6×3×5×5" in text_of(pilot, "#result"))


async def test_export_writes_the_tutorials_file(sketches: DatasetFacts, tmp_path: Path) -> None:
    """x writes the checkpoint under the cursor as a .pth file."""
    _run, _ = train_here(plan(sketches.name, "epochs=1"))
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "step 50 last")
        await pilot.press("x")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "net.pth")
        await pilot.press("enter")
        await wait_for_notice(pilot, "the state_dict of")
    assert next(iter(torch.load(tmp_path / "net.pth", weights_only=True))) == "conv1.weight"


def test_tables_of_ten_classes_fit_80_columns() -> None:
    """Bars, percentages and the confusion matrix stay within what is left beside the list."""
    confusion = [[1000 if row == column else 111 for column in range(10)] for row in range(10)]
    evaluation = from_confusion(confusion, CLASSES, checkpoint="c", dataset="d", seconds=0.0)
    assert max(len(line) for line in classes_text(evaluation, NARROW_BAR_CELLS).plain.splitlines()) <= 80 - 24 - 3
    assert max(len(line) for line in confusion_text(evaluation).plain.splitlines()) <= 80 - 3
