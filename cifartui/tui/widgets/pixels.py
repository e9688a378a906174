"""Pixels as text: half blocks in colour, one cell for two pixels, or shades of grey where there are few colours."""

from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from cifartui.tui.widgets.palette import nearest_colours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHADES = " ·░▒▓█"
"""From dark to light, for terminals of sixteen colours or fewer."""
MARK = (255, 180, 84)
"""Pixels of this colour point to something; with few colours, too, they do not look like the others."""


def shows_colours(app: App[None]) -> bool:
    """Whether the terminal has more than sixteen colours."""
    return app.console.color_system not in (None, "standard")


def shows_all_colours(app: App[None]) -> bool:
    """Whether the terminal has as many colours as pixels have, and is to show them."""
    return app.console.color_system == "truecolor" and not app.no_color


def few_colours(app: App[None]) -> bool:
    """Whether the terminal has 256 colours and no more."""
    return app.console.color_system == "256"


def half_blocks(
    pixels: "NDArray[np.uint8]", *, coloured: bool = True, few_colours: bool = False
) -> list[list[Segment]]:
    """Lines of `▀` for `[H, W, 3]`: the upper pixel is the character's colour, the lower one its background's."""
    if not coloured:
        return _shaded(pixels)
    if few_colours:
        pixels = nearest_colours(pixels)
    lines = []
    rows = pixels.tolist()
    for upper, lower in zip_longest(rows[::2], rows[1::2]):
        if lower is None:  # an odd number of rows
            lines.append([Segment("▀", Style.from_color(pixel_colour(*above))) for above in upper])
            break
        pairs = zip(upper, lower, strict=True)
        styles = (Style.from_color(pixel_colour(*above), pixel_colour(*below)) for above, below in pairs)
        lines.append([Segment("▀", style) for style in styles])
    return lines


def pixel_colour(red: int, green: int, blue: int) -> Color:
    """A pixel's colour for the terminal."""
    return Color("pixel", ColorType.TRUECOLOR, None, ColorTriplet(red, green, blue))  # `from_rgb` takes twice as long


def shrunk(pixels: "NDArray[np.uint8]", factor: int) -> "NDArray[np.uint8]":
    """The mean of each square of `factor` × `factor` pixels of `[H, W, 3]`."""
    height, width = (size // factor * factor for size in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // factor, factor, width // factor, factor, 3)
    small: NDArray[np.uint8] = blocks.mean(axis=(1, 3)).astype(pixels.dtype)
    return small


def scaled(pixels: "NDArray[np.uint8]", size: tuple[int, int]) -> "NDArray[np.uint8]":
    """`[H, W, 3]` at another height and width: means where it gets smaller, repeated pixels where it gets larger."""
    import numpy as np

    if pixels.shape[:2] == size:
        return pixels
    made = pixels.astype(np.float32)
    for axis in (0, 1):
        length = pixels.shape[axis]
        starts = np.arange(size[axis]) * length // size[axis]
        counts = np.maximum(np.diff(starts, append=length), 1)
        made = np.add.reduceat(made, starts, axis=axis) / counts.reshape((-1, 1, 1) if axis == 0 else (-1, 1))
    small: NDArray[np.uint8] = made.round().astype(np.uint8)
    return small


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The height and width at which a picture of `size` is shown in a `box`.

    A whole number of times larger where it is small, else shrunk in both directions alike.
    """
    larger = min(box[0] // size[0], box[1] // size[1])
    scale = float(larger) if larger >= 1 else min(box[0] / size[0], box[1] / size[1])
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def part_text(size: tuple[int, int], drawn: tuple[int, int]) -> str:
    """Said where a picture of `size` (height, width) is drawn smaller than it is: `, at 1/4`; else empty."""
    return f", at 1/{round(size[0] / drawn[0])}" if round(size[0] / drawn[0]) > 1 else ""


def _shaded(pixels: "NDArray[np.uint8]") -> list[list[Segment]]:
    if pixels.shape[0] % 2:
        pixels = pixels[[*range(pixels.shape[0]), -1]]
    height, width = pixels.shape[:2]
    light = pixels.reshape(height // 2, 2, width, 3).mean(axis=(1, 3))
    shades = (light * (len(SHADES) / 256)).astype(int).tolist()
    marks = (pixels == MARK).all(axis=2).reshape(height // 2, 2, width).any(axis=1).tolist()
    lines = []
    for row, marked in zip(shades, marks, strict=True):
        runs = groupby(zip(row, marked, strict=True), key=lambda cell: cell[1])
        lines.append([_run("".join(SHADES[shade] for shade, _ in cells), marked=mark) for mark, cells in runs])
    return lines


def _run(text: str, *, marked: bool) -> Segment:
    return Segment("█" * len(text), Style(color="yellow")) if marked else Segment(text)


class PixelView(Widget):
    """One picture; with a marker, a mark above its column and one left of its row point to a pixel."""

    def __init__(self, *, widget_id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=widget_id, classes=classes)
        self._lines: list[list[Segment]] = []
        self._pixels: NDArray[np.uint8] | None = None
        self._marker: tuple[int, int] | None = None

    def show(self, pixels: "NDArray[np.uint8]", marker: tuple[int, int] | None = None) -> None:
        """Draw `[H, W, 3]`; `marker` is the column and row of a pixel."""
        coloured, few, former = shows_colours(self.app), few_colours(self.app), self._pixels
        if former is not None and former.shape == pixels.shape and not marker and not self._marker:
            changed = (former != pixels).any(axis=(1, 2)).nonzero()[0]
            for line in sorted({row // 2 for row in changed.tolist()}):
                (self._lines[line],) = half_blocks(pixels[2 * line : 2 * line + 2], coloured=coloured, few_colours=few)
                self.refresh(Region(0, line, self.size.width, 1))
        else:
            self._lines = half_blocks(pixels, coloured=coloured, few_colours=few)
            self.refresh()
        self._pixels, self._marker = pixels, marker

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        segments = self._lines[y] if y < len(self._lines) else []
        if self._marker:
            column, row = self._marker
            if y == 0:
                segments = [Segment(" " * (column + 1) + "▾")]
            else:
                picture = self._lines[y - 1] if y <= len(self._lines) else []
                segments = [Segment("▸" if y - 1 == row // 2 else " "), *picture]
        style = self.rich_style
        return Strip(segments).apply_style(style).adjust_cell_length(self.size.width, style)
