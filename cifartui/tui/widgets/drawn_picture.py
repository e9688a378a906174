"""What widgets of pictures share: real pixels where the terminal draws them, else text."""

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


class DrawnPicture(Widget):
    """A widget whose `draw` makes `_lines`, by the `_drawing` that `choose_drawing` found or as text."""

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._lines: list[Strip] = []
        self._drawing: PixelDrawing | None = None

    def draw(self) -> None:
        """Draw all that there is to show."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.watch(self.app, "graphics", self.draw, init=False)

    def on_unmount(self) -> None:
        if self._drawing:
            self._drawing.forget()

    def choose_drawing(self, *, has_pictures: bool) -> PixelDrawing | None:
        """How pixels are drawn now, None for as text; what was drawn before goes once the new lines stand."""
        if self._drawing:
            self.call_after_refresh(self._drawing.forget)
        self._drawing = drawing_for(self) if has_pictures and shows_all_colours(self.app) else None
        return self._drawing

    def as_text(
        self, pixels: "NDArray[np.uint8]", width: int, height: int, *, fits: bool, odd: int = 0
    ) -> list[list[Segment]]:
        """Two pixels a cell, four where there is no room for all of them, or shades where there are few colours.

        `fits` says whether there is room for all of `pixels` `[H, W, 3]` in so many columns and lines; of the last line
        `odd` halves stay empty.
        """
        coloured, few = shows_colours(self.app), few_colours(self.app)
        if coloured and not fits:
            return quadrants(scaled(pixels, (2 * height, 2 * width)), few_colours=few)
        return half_blocks(
            scaled(pixels, (2 * height - (odd if coloured else 0), width)), coloured=coloured, few_colours=few
        )

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region; what is drawn over them is drawn again."""
        if self._drawing:
            self._drawing.uncovered()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        style = self.rich_style
        strip = self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width, style)
        return strip.adjust_cell_length(self.size.width, style)
