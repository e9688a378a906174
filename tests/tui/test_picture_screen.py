"""One picture opened: its pixels, what the transforms make of them, its channels, and its augmented variants."""

import re

import numpy as np
import pytest
from textual.pilot import Pilot

from cifartui.dataset.pictures import picture_order, read_pictures
from cifartui.dataset.store import DatasetFacts
from cifartui.training.recipes.files import load_recipe
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.picture import PictureScreen, planes
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text, wait_until


def values(pilot: Pilot[None]) -> dict[str, list[float]]:
    """The table under the picture."""
    found = {}
    for line in text_of(pilot, "#values").splitlines():
        name, *numbers = re.split(r"\s{2,}", line.strip())
        if name in ("bytes", "ToTensor", "Normalize"):
            found[name] = [float(number) for number in numbers[:3]]
    return found


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_pixel_under_the_cursor_goes_through_the_transforms(
    sketches: DatasetFacts, size: tuple[int, int]
) -> None:
    """Bytes as stored, ToTensor's and Normalize's values; arrows move, and stop at the edge."""
    (first,) = read_pictures(sketches.name, "train", picture_order(sketches.name, "train", None)[:1])
    async with CifarApp().run_test(size=size) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("o")
        await wait_for_text(pilot, "pixel (16, 16)")
        await pilot.press("right", "up", "up")
        await wait_for_text(pilot, "pixel (17, 14)")
        pixel = first.pixels[14, 17]
        table = values(pilot)
        assert table["bytes"] == pixel.tolist()
        np.testing.assert_allclose(table["ToTensor"], pixel / 255, atol=0.0006)
        np.testing.assert_allclose(table["Normalize"], (pixel / 255 - 0.5) / 0.5, atol=0.0006)
        await pilot.press(*["left"] * 40)
        await wait_for_text(pilot, "pixel (0, 14)")
        assert shown(pilot).count("▀") > 32 * 16


async def test_next_picture_and_back(sketches: DatasetFacts) -> None:
    """n and N turn, escape goes back to the wall."""
    order = picture_order(sketches.name, "train", None)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("o")
        await wait_for_text(pilot, f"#{order[0]} of the training images")
        await pilot.press("n")
        await wait_for_text(pilot, f"#{order[1]} of the training images")
        await pilot.press("N")
        await wait_for_text(pilot, f"#{order[0]} of the training images")
        await pilot.press("escape")
        await wait_for_text(pilot, "few · training images")


async def test_augmented_variants_are_those_of_the_recipe(sketches: DatasetFacts) -> None:
    """c takes the picture through the recipe in hand in a child process; the tutorial's changes nothing and says so."""
    async with CifarApp().run_test(size=LARGE, notifications=True) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("o")
        await wait_for_text(pilot, "pixel (16, 16)")
        await pilot.press("c")
        await wait_for_text(pilot, "Recipe tutorial changes no images")
        assert isinstance(pilot.app, CifarApp)
        pilot.app.recipe_name, pilot.app.recipe = "augmented", load_recipe("augmented")
        await pilot.press("c")
        screen = pilot.app.screen
        assert isinstance(screen, PictureScreen)
        await wait_until(pilot, lambda: screen.variants)
        await wait_for_text(pilot, "recipe augmented")
        assert screen.variants
        assert len({variant.tobytes() for variant in screen.variants}) == len(screen.variants) == 6
        assert all((variant == 128).all(axis=2).sum() >= 16 for variant in screen.variants)  # what was cut out


def test_planes_are_readable_and_tell_the_channels_apart() -> None:
    """Each channel's plane has that channel's values where its own colour is full, and none is much darker."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for channel, plane in enumerate(planes(pixels)):
        assert np.abs(plane.max(axis=2).astype(int) - pixels[:, :, channel]).max() <= 13
        assert plane.mean(axis=(0, 1)).argmax() == channel
    white = np.full((1, 1, 3), 255, dtype=np.uint8)
    lightness = [plane[0, 0] @ (0.2126, 0.7152, 0.0722) for plane in planes(white)]
    assert min(lightness) > 0.5 * 255
    assert all(np.array_equal(plane[..., 0], pixels[..., n]) for n, plane in enumerate(planes(pixels, coloured=False)))
