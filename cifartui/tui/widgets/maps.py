"""Activations and weights as pixels: shades of grey, enlarged, with a frame around what is looked at."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cifartui.tui.widgets.pixels import MARK, shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMPTY = (26, 33, 41)
"""Where no value is yet."""


class Scale(NamedTuple):
    """How large pixels are drawn."""

    factor: int = 1
    """Each is a square of so many in each direction."""
    part: int = 1
    """Squares of so many in each direction are one."""

    @property
    def text(self) -> str:
        """Said where pixels are drawn smaller than they are: `, at 1/4`; else empty."""
        return f", at 1/{self.part}" if self.part > 1 else ""


def grey(values: "NDArray[np.float32]", low: float, high: float) -> "NDArray[np.uint8]":
    """`[H, W]` as a picture `[H, W, 3]`: `low` black, `high` white; values that are no numbers are black."""
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
    shades = (scaled.clip(0, 1) * 255).astype(np.uint8)
    return np.repeat(shades[:, :, None], 3, axis=2)


def extremes(values: "NDArray[np.float32]") -> tuple[float, float]:
    """The least and the largest of the finite values; 0 and 0 where there are none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def filter_picture(weights: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """A filter over red, green and blue, `[3, k, k]`, as a picture `[k, k, 3]`: weight 0 is grey."""
    most = float(np.abs(np.nan_to_num(weights)).max()) or 1.0
    shades = (np.nan_to_num(weights) / most * 127.5 + 127.5).astype(np.uint8)
    return shades.transpose(1, 2, 0)


def enlarged(pixels: "NDArray[np.uint8]", factor: int) -> "NDArray[np.uint8]":
    """Each pixel of `[H, W, 3]` as a square of `factor` × `factor`; an odd last row is given a dark one below it."""
    large = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    if large.shape[0] % 2:
        large = np.concatenate([large, np.full_like(large[:1], EMPTY)])
    return large


def framed(
    pixels: "NDArray[np.uint8]", rows: tuple[int, ...], columns: tuple[int, ...], scale: Scale
) -> "NDArray[np.uint8]":
    """At a scale, with a frame around the pixels from the first to the last of `rows` and `columns`."""
    factor = scale.factor
    if scale.part > 1:
        pixels = shrunk(pixels, scale.part)
        rows, columns = (tuple(place // scale.part for place in places) for places in (rows, columns))
    large = enlarged(pixels, factor)
    height, width = pixels.shape[0] * factor, pixels.shape[1] * factor
    top, left = rows[0] * factor - 1, columns[0] * factor - 1
    bottom, right = (rows[-1] + 1) * factor, (columns[-1] + 1) * factor
    inside_rows, inside_columns = slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1)
    for row in (top, bottom):
        if 0 <= row < height:
            large[row, inside_columns] = MARK
    for column in (left, right):
        if 0 <= column < width:
            large[:height][inside_rows, column] = MARK
    return large


def filled_until(pixels: "NDArray[np.uint8]", position: int, scale: Scale) -> "NDArray[np.uint8]":
    """An output `[H, W, 3]` row by row up to `position`, which is marked."""
    seen = pixels.copy()
    seen.reshape(-1, 3)[position + 1 :] = EMPTY
    small = shrunk(seen, scale.part) if scale.part > 1 else seen
    places = (place // scale.part for place in divmod(position, pixels.shape[1]))
    row, column = (min(place, size - 1) for place, size in zip(places, small.shape[:2], strict=True))
    small[row, column] = MARK
    return enlarged(small, scale.factor)


def scale_of(height: int, width: int, pixels_high: int, pixels_wide: int) -> Scale:
    """The largest scale at which `height` × `width` fit within the room there is."""
    factor = min(pixels_high // height, pixels_wide // width)
    return Scale(max(1, factor), 1 if factor else max(-(-height // pixels_high), -(-width // pixels_wide)))
