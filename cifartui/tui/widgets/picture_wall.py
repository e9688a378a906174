"""A wall of small pictures, each with its class and number."""

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from cifartui.text import column, shortened
from cifartui.tui.widgets.pixels import few_colours, half_blocks, shows_colours, shrunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIDY_SECONDS = 1.0
"""After the last page turned; a page makes 20,000 objects, and collecting them in between would hold up the next."""
GAP = 2
"""Cells between two pictures."""


class Tile(NamedTuple):
    """One picture of a wall."""

    pixels: "NDArray[np.uint8]"
    """`[H, W, 3]`, RGB."""
    caption: str
    """Cut with a mark where it is too long."""
    number: str = ""
    """What stands after the caption and is never cut."""


class PictureWall(Widget):
    """As many pictures as fit, each with a caption; at half size where not even one row of whole ones fits."""

    @dataclass
    class Resized(Message):
        """Another number of pictures fits now."""

        capacity: int

    def __init__(self, *, widget_id: str, caption_cells: int = 0, must_caption: bool = True) -> None:
        """Narrow pictures stand apart so that their captions have `caption_cells`.

        Unless it `must_caption`, a row that is whole but for its captions is drawn without them, not smaller.
        """
        super().__init__(id=widget_id)
        self._caption_cells, self._must_caption = caption_cells, must_caption
        self._picture_size = (32, 32)
        self._lines: list[Strip] = []
        self._tidying: Timer | None = None

    @property
    def capacity(self) -> int:
        """How many pictures fit."""
        columns, rows = self._grid()
        return columns * rows

    @property
    def drawn_size(self) -> tuple[int, int]:
        """How many pixels high and wide each picture is drawn."""
        height, width = self._picture_size
        return max(1, height // self._shrink()), max(1, width // self._shrink())

    def set_picture_size(self, size: tuple[int, int]) -> None:
        """Say how many pixels high and wide the pictures are."""
        self._picture_size = size

    def show_tiles(self, tiles: list[Tile]) -> None:
        """Draw these pictures in place of the former."""
        columns, _ = self._grid()
        width = self._cell_width()
        coloured, few = shows_colours(self.app), few_colours(self.app)
        style = self.rich_style
        gap = Segment(" " * (GAP + width - self.drawn_size[1]), style)
        self._lines = []
        for start in range(0, len(tiles), columns):
            row = tiles[start : start + columns]
            blocks = [
                half_blocks(shrunk(tile.pixels, self._shrink()), coloured=coloured, few_colours=few) for tile in row
            ]
            for line in range(len(blocks[0])):
                strip = Strip([segment for block in blocks for segment in (*block[line], gap)])
                self._lines.append(strip if coloured else strip.apply_style(style))
            captions = (column(_caption(tile, width + 1), width + GAP) for tile in row)
            self._lines.append(Strip([Segment("".join(captions), style + Style(dim=True))]))
        self.refresh()
        if self._tidying:
            self._tidying.stop()
        self._tidying = self.set_timer(TIDY_SECONDS, gc.collect)

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        style = self.rich_style
        strip = self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width, style)
        return strip.adjust_cell_length(self.size.width, style)

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Resized(self.capacity))

    def _shrink(self) -> int:
        """Pixels that become one, in each direction."""
        height, width = self._picture_size
        shrink = 1
        while shrink < min(height, width) and (
            self.size.height < -(-(height // shrink) // 2) + self._must_caption or self.size.width < width // shrink
        ):
            shrink *= 2
        return shrink

    def _cell_width(self) -> int:
        return max(self.drawn_size[1], self._caption_cells)

    def _grid(self) -> tuple[int, int]:
        cell_height = -(-self.drawn_size[0] // 2) + 1
        return max(1, (self.size.width + GAP) // (self._cell_width() + GAP)), max(1, self.size.height // cell_height)


def _caption(tile: Tile, width: int) -> str:
    return (
        f"{shortened(tile.caption, max(1, width - len(tile.number) - 1))} {tile.number}"
        if tile.number
        else shortened(tile.caption, width)
    )
