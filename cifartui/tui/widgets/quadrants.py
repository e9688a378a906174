"""Pixels as text: four of them in a cell, in the two colours that fit them best."""

from functools import cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from cifartui.tui.widgets.palette import nearest_colours
from cifartui.tui.widgets.pixels import pixel_colour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHARACTERS = "█▛▜▀▙▌▚▘"
"""For the eight ways to divide four pixels among two colours, see `_in_front`."""


def quadrants(pixels: "NDArray[np.uint8]", *, few_colours: bool = False) -> list[list[Segment]]:
    """Lines for `[H, W, 3]`, both even: each square of four pixels in the two colours that differ least from it."""
    import numpy as np

    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    squares = pixels.reshape(height, 2, width, 2, 3).transpose(0, 2, 1, 3, 4).reshape(height * width, 4, 3)
    values = squares.astype(np.float32)
    front = _in_front()
    sums = np.einsum("wp,npc->nwc", front, values)
    behind_sums = values.sum(axis=1)[:, None] - sums
    sizes = front.sum(axis=1)[:, None]
    # the squared differences from the two means, but for what all eight ways have in common
    likeness = (sums**2 / sizes).sum(axis=2) + (behind_sums**2 / np.maximum(4 - sizes, 1)).sum(axis=2)
    ways, every = likeness.argmax(axis=1), np.arange(len(values))
    sizes = sizes[ways]
    colours = np.stack([sums[every, ways] / sizes, behind_sums[every, ways] / np.maximum(4 - sizes, 1)], axis=1)
    colours = colours.round().astype(np.uint8)
    if few_colours:
        colours = nearest_colours(colours)
    cells = [
        Segment(CHARACTERS[way], Style.from_color(pixel_colour(*ahead), pixel_colour(*behind)))
        for way, (ahead, behind) in zip(ways.tolist(), colours.tolist(), strict=True)
    ]
    return [cells[start : start + width] for start in range(0, height * width, width)]


@cache
def _in_front() -> "NDArray[np.float32]":
    """`[8, 4]`: which of upper left, upper right, lower left and lower right are in front; the first always is."""
    import numpy as np

    behind = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
    return np.hstack([np.ones((8, 1)), 1 - behind]).astype(np.float32)
