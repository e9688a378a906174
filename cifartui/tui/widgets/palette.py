"""The colours of terminals that have 256 of them: the one that looks most like each of a picture's colours."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = (0, 95, 135, 175, 215, 255)
"""Of red, green and blue in the cube of 6 × 6 × 6 colours."""
GREYS = tuple(range(8, 248, 10))
SHIFT = 3
"""Bits of each channel that make no difference to which colour is taken."""


def nearest_colours(pixels: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """`[H, W, 3]` in the colours of the cube and the greys; dark browns do not become maroon, nor dark greens olive."""
    table, colours = _table()
    red, green, blue = (pixels[..., channel] >> SHIFT for channel in range(3))
    nearest: NDArray[np.uint8] = colours[table[red, green, blue]]
    return nearest


@cache
def _table() -> "tuple[NDArray[np.intp], NDArray[np.uint8]]":
    import numpy as np

    cube = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), axis=-1).reshape(-1, 3)
    colours = np.concatenate([cube, np.repeat(np.array(GREYS)[:, None], 3, axis=1)])
    steps = np.arange(256 >> SHIFT) * (1 << SHIFT) + (1 << SHIFT) // 2
    asked = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    wanted, offered = _lab(asked), _lab(colours)
    distances = (offered**2).sum(axis=1) - 2 * wanted @ offered.T  # but for what all offers have in common
    return distances.argmin(axis=-1), colours.astype(np.uint8)


def _lab(rgb: "NDArray[np.integer]") -> "NDArray[np.float32]":
    """CIE L*a*b* (D65) of sRGB, in which distances are about as large as they look."""
    import numpy as np

    share = rgb.astype(np.float32) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = (root[..., axis] for axis in range(3))
    lab: NDArray[np.float32] = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
    return lab
