"""Feature maps: every layer of a network on a picture, and the first filters, by keyboard."""

import re

import numpy as np
import torch

from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.model.network import load_network
from cifartui.model.summary import summarize
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.feature_maps import FeatureMapsScreen
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.maps import Scale, enlarged, extremes, filled_until, filter_picture, framed, grey, scale_of
from cifartui.tui.widgets.pixels import MARK
from cifartui.tui.widgets.vector_texts import bars, softmax
from tests.conftest import CLASSES, noise
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text


async def test_every_layer_is_shown(sketches: DatasetFacts) -> None:
    """Down from the first to the last: maps where there is height and width, bars elsewhere, classes at the end."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "l")
        await wait_for_text(pilot, "conv1 conv2d 5×5 · gives 6 × 28 × 28")
        for operation in summarize(load_network("tutorial")).operations[1:]:
            await pilot.press("down")
            await wait_for_text(pilot, f"{operation.layer.name} {operation.layer.label}")
        text = shown(pilot)
        assert all(name in text for name in CLASSES)
        assert "◂ the largest score is the network's answer" in text
        assert "%" in text
        await pilot.press("down", "escape")
        await wait_for_text(pilot, "62,006 parameters")


async def test_maps_larger_than_the_screen_are_shrunk_and_say_so() -> None:
    """Of 224×224 pictures, two of conv1's maps are in view at a sixth of their size; the scale is told in full."""
    facts = save_dataset("large", noise(4, 224, 2), noise(4, 224, 2, seed=1), ("cat", "dog"), "noise for the tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, f"{facts.name} · training images")
        await pilot.press("2", "l")
        text = await wait_for_text(pilot, "gives 6 × 220 × 220, 1–2 shown, at 1/6")
        assert re.search(r"black -?\d+\.\d+, white\s+-?\d+\.\d+ · ", text)
        assert "untrained" in text
        assert "\n 1  " in text


async def test_filters_and_pages(sketches: DatasetFacts) -> None:
    """c shows the first layer's six filters; where not all maps fit, the title says which are shown."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "l")
        await wait_for_text(pilot, "gives 6 × 28 × 28, 1–2 shown")
        await pilot.press("right", "right", "right")
        await wait_for_text(pilot, "5–6 shown")
        await pilot.press("c")
        await wait_for_text(pilot, "6 filters of 5×5")
        screen = pilot.app.screen
        assert isinstance(screen, FeatureMapsScreen)
        assert not screen.check_action("page", ())
        await pilot.press("c", "down")
        await wait_for_text(pilot, "relu1 relu")
        assert not screen.check_action("filters", ())


async def test_blocks_and_half_built_networks(sketches: DatasetFacts) -> None:
    """Operations within a residual block have maps; a network that breaks shows what comes before the break."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "o", "down", "down", "enter")
        await wait_for_text(pilot, "resnet18 · 11,173,962")
        await pilot.press(*["down"] * 4, "right", "down", "right", *["down"] * 4, "l")
        await wait_for_text(pilot, "layer1.0.conv2 conv2d 3×3 · gives 64 × 32 × 32")
        await pilot.press("down", "down", "down")
        await wait_for_text(pilot, "layer1.0.relu2 relu")
        await pilot.press("escape", "u")
        await wait_for_text(pilot, "tutorial · 62,006")
        pilot.app.screen.query_one(LayerTable).move_cursor(row=8)
        await wait_for_text(pilot, "fc1 · linear")
        await pilot.press("delete")
        await wait_for_text(pilot, "✗ fc2")
        await pilot.press("l")
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
    large = framed(np.zeros((4, 4, 3), np.uint8), (1, 2), (1, 2), Scale(4))
    assert large[3, 3:13].any(axis=1).all()
    assert not large[4:12, 4:12].any()
    framed(np.zeros((4, 4, 3), np.uint8), (-1, 0), (3, 4), Scale(4))


def test_pictures_shrink_around_what_is_marked() -> None:
    """At a part of their size the frame is around the window and the output's mark at its place, also at the edges."""
    scale = scale_of(224, 224, 32, 37)
    assert (scale, scale_of(28, 32, 32, 37), scale_of(6, 6, 32, 37)) == (Scale(1, 7), Scale(), Scale(5))
    picture = np.zeros((224, 224, 3), np.uint8)
    small = framed(picture, (100, 104), (219, 223), scale)
    assert small.shape == (32, 32, 3)
    marked = (small == MARK).all(axis=2)
    assert marked.any()
    assert np.argwhere(marked).min(axis=0).tolist() == [13, 30]
    for position, place in ((0, (0, 0)), (219 * 220 + 219, (30, 30)), (100 * 220 + 50, (14, 7))):
        filled = filled_until(np.full((220, 220, 3), 200, np.uint8), position, scale)
        assert np.argwhere((filled == MARK).all(axis=2)).tolist() == [list(place)]


def test_probabilities_are_torchs_softmax() -> None:
    """Beside the scores of classes stands what torch makes of them; one line is marked as the answer."""
    scores = np.array([1.5, -2.0, 88.0, 87.0], np.float32)
    expected = torch.softmax(torch.from_numpy(scores).double(), 0).numpy()
    assert np.allclose(softmax(scores), expected)
    lines = bars(scores, ("a", "b", "c", "d" * 60), 80, are_scores=True).plain.splitlines()
    assert [line.endswith("◂") for line in lines] == [False, False, False, True, False, False]
    assert [f"{share:.1%}" in line for share, line in zip(expected, lines[1:], strict=False)] == [True] * 4
    assert max(map(len, lines[:-1])) <= 80


def test_bars_of_values_that_are_no_numbers() -> None:
    """NaN and infinity get a line and no bar that is longer than the room."""
    text = str(bars(np.array([np.nan, np.inf, -1.0], np.float32), ("a", "b", "c"), 80, are_scores=True))
    assert text.count("nan") >= 3
    text = str(bars(np.array([np.nan, np.inf, -1.0], np.float32), ("a", "b", "c"), 80))
    assert all(len(line) <= 80 for line in text.splitlines())
