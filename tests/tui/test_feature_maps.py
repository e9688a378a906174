"""Feature maps: every layer of a network on a picture, and the first filters, by keyboard."""

import numpy as np

from cifartui.dataset.store import DatasetFacts
from cifartui.model.network import load_network
from cifartui.model.summary import summarize
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.feature_maps import FeatureMapsScreen
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.maps import enlarged, extremes, filter_picture, framed, grey
from cifartui.tui.widgets.vector_texts import bars
from tests.conftest import CLASSES
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text


async def test_every_layer_is_shown(sketches: DatasetFacts) -> None:
    """Down from the first to the last: maps where there is height and width, bars elsewhere, classes at the end."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "f")
        await wait_for_text(pilot, "conv1 conv2d 5×5 · gives 6 × 28 × 28")
        for operation in summarize(load_network("tutorial")).operations[1:]:
            await pilot.press("down")
            await wait_for_text(pilot, f"{operation.layer.name} {operation.layer.label}")
        text = shown(pilot)
        assert all(name in text for name in CLASSES)
        assert "◂" in text
        await pilot.press("down", "escape")
        await wait_for_text(pilot, "62,006 parameters")


async def test_filters_and_pages(sketches: DatasetFacts) -> None:
    """f shows the first layer's six filters; where not all maps fit, the title says which are shown."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "f")
        await wait_for_text(pilot, "gives 6 × 28 × 28, 1–2 shown")
        await pilot.press("right", "right", "right")
        await wait_for_text(pilot, "5–6 shown")
        await pilot.press("f")
        await wait_for_text(pilot, "6 filters of 5×5")
        screen = pilot.app.screen
        assert isinstance(screen, FeatureMapsScreen)
        assert not screen.check_action("page", ())
        await pilot.press("f", "down")
        await wait_for_text(pilot, "relu1 relu")
        assert not screen.check_action("filters", ())


async def test_blocks_and_half_built_networks(sketches: DatasetFacts) -> None:
    """Operations within a residual block have maps; a network that breaks shows what comes before the break."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "o", "down", "enter")
        await wait_for_text(pilot, "resnet18 · 11,173,962")
        await pilot.press(*["down"] * 4, "right", "down", "right", *["down"] * 4, "f")
        await wait_for_text(pilot, "layer1.0.conv2 conv2d 3×3 · gives 64 × 32 × 32")
        await pilot.press("down", "down", "down")
        await wait_for_text(pilot, "layer1.0.relu2 relu")
        await pilot.press("escape", "u")
        await wait_for_text(pilot, "tutorial · 62,006")
        pilot.app.screen.query_one(LayerTable).move_cursor(row=8)
        await wait_for_text(pilot, "fc1 · linear")
        await pilot.press("x")
        await wait_for_text(pilot, "✗ fc2")
        await pilot.press("f")
        await wait_for_text(pilot, "gives")
        assert "nothing to look at" not in text_of(pilot, "#title")


def test_pixels_of_maps() -> None:
    """Least black, largest white, a frame around the window and not beyond the edge, no rows lost."""
    values = np.array([[0.0, 1.0], [np.nan, np.inf]], np.float32)
    assert extremes(values) == (0.0, 1.0)
    assert grey(values, 0, 1)[:, :, 0].tolist() == [[0, 255], [0, 255]]
    assert extremes(np.full((2, 2), np.nan, np.float32)) == (0.0, 0.0)
    assert enlarged(np.zeros((5, 5, 3), np.uint8), 3).shape == (16, 15, 3)
    assert filter_picture(np.zeros((3, 5, 5), np.float32)).max() == 127
    large = framed(np.zeros((4, 4, 3), np.uint8), (1, 2), (1, 2), 4)
    assert large[3, 3:13].any(axis=1).all()
    assert not large[4:12, 4:12].any()
    framed(np.zeros((4, 4, 3), np.uint8), (-1, 0), (3, 4), 4)


def test_bars_of_values_that_are_no_numbers() -> None:
    """NaN and infinity get a line and no bar that is longer than the room."""
    text = str(bars(np.array([np.nan, np.inf, -1.0], np.float32), ("a", "b", "c"), 80))
    assert all(len(line) <= 80 for line in text.splitlines())
