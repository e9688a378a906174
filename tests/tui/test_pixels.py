"""Pixels as text: pictures of any size, and the colours of terminals that have 256."""

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment

from cifartui.tui.widgets.palette import GREYS, LEVELS, nearest_colours
from cifartui.tui.widgets.pixels import fitted, half_blocks, scaled
from cifartui.tui.widgets.quadrants import quadrants


def test_pictures_are_scaled_to_any_size() -> None:
    """Means where they get smaller, repeated pixels where they get larger, and their own values at their own size."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    assert scaled(pixels, (30, 20)) is pixels
    assert np.array_equal(scaled(pixels, (60, 40)), pixels.repeat(2, axis=0).repeat(2, axis=1))
    means = pixels.reshape(10, 3, 5, 4, 3).mean(axis=(1, 3))
    assert np.abs(scaled(pixels, (10, 5)) - means).max() <= 0.51
    assert abs(scaled(pixels, (7, 13)).mean() - pixels.mean()) < 8
    assert scaled(pixels, (1, 1)).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("size", "box", "shown"),
    [
        ((32, 32), (32, 32), (32, 32)),
        ((8, 8), (32, 32), (32, 32)),
        ((28, 28), (32, 32), (28, 28)),
        ((224, 224), (32, 32), (32, 32)),
        ((480, 640), (32, 32), (24, 32)),
        ((1000, 10), (32, 32), (32, 1)),
    ],
)
def test_pictures_fit_a_box(size: tuple[int, int], box: tuple[int, int], shown: tuple[int, int]) -> None:
    """A whole number of times larger, or smaller in both directions alike."""
    assert fitted(size, box) == shown


def test_last_row_of_an_odd_number_is_drawn() -> None:
    """With nothing below it in colour, once more in shades."""
    pixels = np.full((3, 4, 3), 200, dtype=np.uint8)
    lines = half_blocks(pixels)
    assert len(lines) == 2
    assert lines[0][0].style != lines[1][0].style
    assert len(half_blocks(pixels, coloured=False)) == 2


def test_nearest_of_256_colours_are_nearer_than_rounded_ones() -> None:
    """Colours that terminals have stay; dark muted ones keep their lightness and get no colour that they have not."""
    own = np.array([[(red, green, blue) for red in LEVELS for green in LEVELS for blue in LEVELS]], dtype=np.uint8)
    greys = np.array([[(grey,) * 3 for grey in GREYS]], dtype=np.uint8)
    assert np.abs(nearest_colours(own).astype(int) - own).max() <= 8
    assert np.abs(nearest_colours(greys).astype(int) - greys).max() <= 8
    dark = np.random.default_rng(0).integers(20, 70, (20, 20, 3), dtype=np.uint8)
    rounded = np.array([[_rounded(*pixel) for pixel in row] for row in dark.tolist()])
    ours = nearest_colours(dark).astype(int)
    assert np.abs(ours - dark).mean() < 0.7 * np.abs(rounded - dark).mean()


def _rounded(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """What Rich makes of a colour where there are 256."""
    return Color.from_triplet(ColorTriplet(red, green, blue)).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()


def test_four_pixels_of_two_colours_are_drawn_as_they_are() -> None:
    """Every way to divide a cell between two colours comes back whole; of more colours the nearest two are taken."""
    corners = np.array([[number >> bit & 1 for bit in range(4)] for number in range(16)], dtype=np.uint8) * 200 + 20
    pixels = np.hstack([four.reshape(2, 2) for four in corners])[:, :, None].repeat(3, axis=2)
    assert np.array_equal(_shown(quadrants(pixels)), pixels)
    pixels = np.array([[[0, 0, 0], [250, 0, 0]], [[10, 0, 0], [240, 0, 0]]], dtype=np.uint8)
    assert np.array_equal(_shown(quadrants(pixels))[:, :, 0], [[5, 245], [5, 245]])


def _shown(lines: list[list[Segment]]) -> NDArray[np.uint8]:
    """The pixels that a terminal would show."""
    in_front = {"█": "1111", "▛": "1110", "▜": "1101", "▀": "1100", "▙": "1011", "▌": "1010", "▚": "1001", "▘": "1000"}
    shown = np.zeros((2 * len(lines), 2 * len(lines[0]), 3), dtype=np.uint8)
    for row, line in enumerate(lines):
        for place, cell in enumerate(line):
            colours = {"1": cell.style.color.triplet, "0": cell.style.bgcolor.triplet}
            for number, front in enumerate(in_front[cell.text]):
                shown[2 * row + number // 2, 2 * place + number % 2] = colours[front]
    return shown
