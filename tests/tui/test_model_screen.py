"""The model screen: the table of operations and the arithmetic of the one under the cursor."""

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.tui.app import CifarApp
from tests.tui.driving import LARGE, SMALL, wait_for_text


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_every_operation_stands_in_the_table(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Twelve rows and the totals, all on one screen, without scrolling."""
    async with CifarApp().run_test(size=size) as pilot:
        await pilot.press("2")
        text = await wait_for_text(pilot, "fc3")
        assert "62,006 parameters" in text
        for name in (
            "conv1",
            "relu1",
            "pool1",
            "conv2",
            "relu2",
            "pool2",
            "flatten",
            "fc1",
            "relu3",
            "fc2",
            "relu4",
            "fc3",
        ):
            assert f" {name} " in text
        assert "⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28" in text


async def test_selected_layer_is_spelled_out(sketches: DatasetFacts) -> None:
    """conv1's parameters and multiply-adds, and why fc1 takes 400."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down")
        text = await wait_for_text(pilot, "(5·5·3 + 1)·6 = 456")
        assert "28·28·6·(5·5·3) = 352,800" in text
        await pilot.press(*["down"] * 6)
        text = await wait_for_text(pilot, "flatten · flatten")
        assert "16·5·5 = 400" in text
        await pilot.press("down")
        await wait_for_text(pilot, "400·120 + 120 = 48,120")
