"""One picture, as large as its place: real pixels where the terminal draws them, else text."""

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from cifartui.tui.graphics.drawing import PixelDrawing, drawing_for
from cifartui.tui.widgets.pixels import few_colours, half_blocks, scaled, shows_all_colours, shows_colours
from cifartui.tui.widgets.quadrants import quadrants

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FittedPicture(Widget):
    """A picture in the upper left of its place, as high or as wide as that."""

    DEFAULT_CSS = "FittedPicture { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._pixels: NDArray[np.uint8] | None = None
        self._lines: list[Strip] = []
        self._drawing: PixelDrawing | None = None

    def show(self, pixels: "NDArray[np.uint8]") -> None:
        """Draw `[H, W, 3]`, unless it stands there already."""
        before, self._pixels = self._pixels, pixels
        if before is None or before.shape != pixels.shape or (before != pixels).any():
            self._draw()

    def on_mount(self) -> None:
        self.watch(self.app, "graphics", self._draw, init=False)

    def on_unmount(self) -> None:
        if self._drawing:
            self._drawing.forget()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._pixels is None or not self.size:
            return
        if self._drawing:
            self.call_after_refresh(self._drawing.forget)
        self._drawing = drawing_for(self) if shows_all_colours(self.app) else None
        width, height = _cells(self._pixels.shape[0], self._pixels.shape[1], *self.size)
        if self._drawing:
            lines = self._drawing.lines(self._pixels, Region(0, 0, width, height))
            self._drawing.finish()
        else:
            lines = self._as_text(self._pixels, width, height)
        self._lines = [Strip(line) for line in lines]
        self.refresh()

    def _as_text(self, pixels: "NDArray[np.uint8]", width: int, height: int) -> list[list[Segment]]:
        """Two pixels a cell, four where there is no room for all of them, or shades where there are few colours."""
        coloured, few = shows_colours(self.app), few_colours(self.app)
        if coloured and width < pixels.shape[1]:
            return quadrants(scaled(pixels, (2 * height, 2 * width)), few_colours=few)
        return half_blocks(scaled(pixels, (2 * height, width)), coloured=coloured, few_colours=few)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region; what is drawn over them is drawn again."""
        if self._drawing:
            self._drawing.uncovered()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        style = self.rich_style
        strip = self._lines[y] if y < len(self._lines) else Strip.blank(0)
        return strip.apply_style(style).adjust_cell_length(self.size.width, style)


def _cells(high: int, wide: int, width: int, height: int) -> tuple[int, int]:
    """Columns and lines of a picture of so many pixels that fills `width` columns or `height` lines."""
    scale = min(width / wide, 2 * height / high)
    return max(1, int(wide * scale)), max(1, int(high * scale / 2))
