"""The filters of a convolution as small pictures, as large as all of them fit."""

from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cifartui.tui.widgets.pixels import few_colours, half_blocks, scaled, shows_colours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMN_GAP, LINE_GAP = 2, 1
NOTICED = 6
"""Of 255 shades: filters of which none changed by more are not drawn again."""
EVEN = 0.75
"""A filter is made so much smaller if all its weights are squares of one size then."""


class Grid(NamedTuple):
    """How filters are laid out."""

    side: int
    """Columns of each, which are half as many lines."""
    columns: int
    rows: int

    @property
    def capacity(self) -> int:
        """How many it has room for."""
        return self.columns * self.rows


class FilterGrid(Widget):
    """Filters side by side; each by its own largest weight, so that 0 is grey in all of them."""

    DEFAULT_CSS = "FilterGrid { height: 1fr; }"

    class Refitted(Message):
        """There is room for more or fewer of them now."""

    def __init__(self) -> None:
        super().__init__()
        self._pictures: list[NDArray[np.uint8]] = []
        self._lines: list[Strip] = []
        self.drawn = 0
        """How many of them there is room for."""

    def show(self, kernels: "NDArray[np.float32]") -> None:
        """Draw filters `[N, C, k, k]` with one channel or three."""
        import numpy as np

        from cifartui.tui.widgets.maps import filter_picture

        kernels = np.broadcast_to(kernels, (len(kernels), 3, *kernels.shape[2:]))
        pictures = [filter_picture(kernel) for kernel in kernels]
        if not _look_alike(pictures, self._pictures):
            self._pictures = pictures
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if not self._pictures or not self.size:
            return
        coloured, few = shows_colours(self.app), few_colours(self.app)
        grid = lay_out(len(self._pictures), self._pictures[0].shape[0], *self.size)
        before, self.drawn = self.drawn, min(len(self._pictures), grid.capacity)
        if self.drawn != before:
            self.post_message(self.Refitted())
        gap, side = Segment(" " * COLUMN_GAP), grid.side
        self._lines = []
        for start in range(0, self.drawn, grid.columns):
            row = self._pictures[start : min(start + grid.columns, self.drawn)]
            pictures = [half_blocks(scaled(each, (side, side)), coloured=coloured, few_colours=few) for each in row]
            for parts in zip(*pictures, strict=True):
                self._lines.append(Strip([segment for part in parts for segment in (*part, gap)]))
            self._lines += [Strip.blank(0)] * LINE_GAP
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        style = self.rich_style
        strip = self._lines[y] if y < len(self._lines) else Strip.blank(0)
        return strip.apply_style(style).adjust_cell_length(self.size.width, style)


def lay_out(filters: int, kernel: int, width: int, height: int) -> Grid:
    """As large as all fit into `width` columns and `height` lines, but not smaller than their pixels."""
    sides = (side for side in range(width, kernel, -1) if _grid(side, width, height).capacity >= filters)
    largest = next(sides, kernel)
    even = largest // kernel * kernel
    return _grid(even if even >= EVEN * largest else largest, width, height)


def _grid(side: int, width: int, height: int) -> Grid:
    lines = -(-side // 2)
    return Grid(side, (width + COLUMN_GAP) // (side + COLUMN_GAP), (height + LINE_GAP) // (lines + LINE_GAP))


def _look_alike(pictures: "list[NDArray[np.uint8]]", others: "list[NDArray[np.uint8]]") -> bool:
    import numpy as np

    if len(pictures) != len(others) or pictures[0].shape != others[0].shape:
        return False
    return int(np.abs(np.array(pictures, np.int16) - np.array(others, np.int16)).max()) <= NOTICED
