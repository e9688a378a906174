"""A wall of pictures, each with its class and number: real pixels where the terminal draws them, else text."""

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from cifartui.text import column, shortened
from cifartui.tui.widgets.drawn_picture import DrawnPicture
from cifartui.tui.widgets.pixels import shows_colours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scale = Literal["small", "middle", "large"]
COLUMNS_A_PIXEL: dict[Scale, float] = {"small": 0.5, "middle": 1.0, "large": 2.0}
"""A line is as high as two columns are wide."""
TIDY_SECONDS = 1.0
"""After the last page turned; a page makes 20,000 objects, and collecting them in between would hold up the next."""
GAP = 2
"""Cells between two pictures."""


class Tile(NamedTuple):
    """One picture of a wall."""

    pixels: "NDArray[np.uint8]"
    """`[H, W, 3]`, RGB; of any size, and drawn at the wall's."""
    caption: str
    """Cut with a mark where it is too long."""
    number: str = ""
    """What stands after the caption and is never cut."""
    colour: Color | None = None
    """Of a square before the caption, if there is to be one."""


class PictureWall(DrawnPicture):
    """As many pictures as fit, each with a caption; smaller where not even one row of whole ones fits."""

    @dataclass
    class Resized(Message):
        """Another number of pictures fits now."""

        capacity: int

    def __init__(
        self, *, widget_id: str, caption_cells: int = 0, must_caption: bool = True, scale: Scale = "middle"
    ) -> None:
        """Narrow pictures stand apart so that their captions have `caption_cells`.

        Unless it `must_caption`, a row that is whole but for its captions is drawn without them, not smaller.
        """
        super().__init__(widget_id=widget_id)
        self._caption_cells, self._must_caption = caption_cells, must_caption
        self._scale: Scale = scale
        self._picture_size = (32, 32)
        self._tiles: list[Tile] = []
        self._tidying: Timer | None = None

    @property
    def scale(self) -> Scale:
        """How large the pictures are where there is room."""
        return self._scale

    def cycle_scale(self) -> None:
        """The next larger pictures, or the smallest again; `Resized` follows."""
        scales = list(COLUMNS_A_PIXEL)
        self._scale = scales[(scales.index(self._scale) + 1) % len(scales)]
        self.post_message(self.Resized(self.capacity))

    @property
    def capacity(self) -> int:
        """How many pictures fit."""
        columns, rows = self._grid()
        return columns * rows

    @property
    def drawn_size(self) -> tuple[int, int]:
        """How many pixels high and wide each picture is where there is no room for all of them."""
        height, width = self._picture_size
        return max(1, height // self._shrink()), max(1, width // self._shrink())

    def set_picture_size(self, size: tuple[int, int]) -> None:
        """Say how many pixels high and wide the pictures are."""
        self._picture_size = size

    def show_tiles(self, tiles: list[Tile]) -> None:
        """Draw these pictures in place of the former."""
        self._tiles = tiles
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Resized(self.capacity))

    def draw(self) -> None:
        """Draw the tiles in as many rows as they take."""
        drawing = self.choose_drawing(has_pictures=bool(self._tiles))
        columns, _ = self._grid()
        width, height = self._cells()
        style = self.rich_style
        is_whole = shows_colours(self.app) and not drawing  # each character has its two colours
        gap = Segment(" " * (GAP + self._cell_width() - width), style)
        self._lines = []
        for start in range(0, len(self._tiles), columns):
            row = self._tiles[start : start + columns]
            top = len(self._lines)
            pictures = []
            for place, tile in enumerate(row):
                if drawing:
                    region = Region(place * (self._cell_width() + GAP), top, width, height)
                    pictures.append(drawing.lines(tile.pixels, region))
                else:
                    pictures.append(self._as_text(tile.pixels, width, height))
            for line in range(height):
                strip = Strip([segment for picture in pictures for segment in (*picture[line], gap)])
                self._lines.append(strip if is_whole else strip.apply_style(style))
            self._lines.append(Strip([segment for tile in row for segment in self._caption(tile)]))
        if drawing:
            drawing.finish()
        self.refresh()
        if self._tidying:
            self._tidying.stop()
        self._tidying = self.set_timer(TIDY_SECONDS, gc.collect)

    def _as_text(self, pixels: "NDArray[np.uint8]", width: int, height: int) -> list[list[Segment]]:
        odd = int(width == self._picture_size[1]) and self._picture_size[0] % 2
        return self.as_text(pixels, width, height, fits=self._columns_a_pixel() >= 1, odd=odd)

    def _caption(self, tile: Tile) -> list[Segment]:
        style = self.rich_style
        mark = [Segment("■ ", style + Style.from_color(tile.colour.rich_color))] if tile.colour else []
        room = self._cell_width() + 1 - 2 * len(mark)
        text = shortened(tile.caption, max(1, room - len(tile.number) - bool(tile.number)))
        text = f"{text} {tile.number}" if tile.number else text
        return [*mark, Segment(column(text, room + GAP - 1), style + Style(dim=True))]

    def _columns_a_pixel(self) -> float:
        return COLUMNS_A_PIXEL[self._scale] / self._shrink()

    def _cells(self, shrink: int | None = None) -> tuple[int, int]:
        """Columns and lines of a picture."""
        height, width = self._picture_size
        factor = COLUMNS_A_PIXEL[self._scale] / (shrink or self._shrink())
        return max(1, int(width * factor)), max(1, -int(-height * factor // 2))

    def _shrink(self) -> int:
        """Pixels that become one, in each direction, for want of room."""
        shrink = 1
        while shrink < min(self._picture_size):
            width, height = self._cells(shrink)
            if self.size.height >= height + self._must_caption and self.size.width >= width:
                break
            shrink *= 2
        return shrink

    def _cell_width(self) -> int:
        return max(self._cells()[0], self._caption_cells)

    def _grid(self) -> tuple[int, int]:
        cell_height = self._cells()[1] + 1
        return max(1, (self.size.width + GAP) // (self._cell_width() + GAP)), max(1, self.size.height // cell_height)
