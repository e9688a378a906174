"""The network drawn to scale, with the volume marked in which the line of the table under the cursor ends."""

from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Click, Resize
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cifartui.text import cells, column, shortened
from cifartui.tui.widgets.network_figures import (
    CLEFT,
    EDGE,
    FACE,
    WINDOW,
    Figure,
    Ink,
    compact,
    figures_of,
    painted,
)
from cifartui.tui.widgets.pixels import shows_colours
from cifartui.tui.widgets.volumes import (
    BLOCK,
    BROKEN,
    CONVOLUTION,
    INPUT,
    LIST,
    OTHER,
    OUTPUT,
    POOLING,
    UNKNOWN,
    Volume,
)

if TYPE_CHECKING:
    from rich.color import Color as RichColor

LABEL_LINES = 3
LEAST_LINES = 3
"""Of the drawing above its labels."""
COLOURS = {
    INPUT: "class-airplane",
    CONVOLUTION: "class-automobile",
    POOLING: "class-bird",
    BLOCK: "class-frog",
    LIST: "class-deer",
    OUTPUT: "class-cat",
    OTHER: "class-dog",
    BROKEN: "error",
    UNKNOWN: "quiet",
}
DIMMED, EDGED, CLEFTED = 0.3, 0.55, 0.8
"""How much of the background is mixed into what is not marked, into maps' edges, and into what is between them."""


class NetworkDrawing(Widget):
    """Feature maps as stacks of squares, then lists as columns; scrolled so that the marked one is seen."""

    class Chosen(Message):
        """A volume was clicked on."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line
            """The line of the table that makes it, by name."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._volumes: list[Volume] = []
        self._line = ""
        self._figures: list[Figure] = []
        self._strips: list[Strip] | None = None
        """What is drawn; None where that is to be made anew."""
        self._first_cell = 0
        """Of the drawing, at the left edge."""

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw_anew())

    def on_resize(self, event: Resize) -> None:
        self._draw_anew()

    def show(self, volumes: list[Volume], line: str) -> None:
        """Draw a network, with the volume marked that stands for a line of the table."""
        if (volumes, line) != (self._volumes, self._line):
            self._volumes, self._line = volumes, line
            self._draw_anew()

    def _draw_anew(self) -> None:
        self._strips = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        if self._strips is None:
            self._strips = self._drawn()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    @property
    def _marked(self) -> int | None:
        return next((number for number, volume in enumerate(self._volumes) if self._line in volume.lines), None)

    def _drawn(self) -> list[Strip]:
        width, lines = self.size.width, self.size.height - LABEL_LINES
        if not self._volumes or lines < LEAST_LINES or not width:
            return []
        marked = self._marked
        self._figures = figures = figures_of(self._volumes, width, 2 * lines)
        makes = marked is not None and self._line not in self._volumes[marked].lines[1:]
        rows = painted(figures, 2 * lines, marked, window=makes)
        strips = [Strip(self._half_blocks(upper, lower)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
        strips += self._labels(figures, marked)
        total = figures[-1].left + figures[-1].cells
        self._first_cell = _first_cell(figures[marked or 0], total, width)
        last_cell, style = self._first_cell + width, self.rich_style
        drawn = [strip.crop(self._first_cell, last_cell).adjust_cell_length(width) for strip in strips]
        names = drawn[lines]
        if self._first_cell:
            names = Strip.join([Strip([Segment("◂")]), names.crop(1)])
        if last_cell < total:
            names = Strip.join([names.crop(0, width - 1), Strip([Segment("▸")])])
        drawn[lines] = names
        return [strip.apply_style(style) for strip in drawn]

    def _half_blocks(self, upper: list[Ink | None], lower: list[Ink | None]) -> list[Segment]:
        segments = []
        for (above, below), run in groupby(zip(upper, lower, strict=True)):
            length = len(list(run))
            over, under = self._colour(above), self._colour(below)
            if over is None and under is None:
                segments.append(Segment(" " * length))
            elif over == under:
                segments.append(Segment("█" * length, Style(color=over)))
            elif over is None:
                segments.append(Segment("▄" * length, Style(color=under)))
            else:
                segments.append(Segment("▀" * length, Style(color=over, bgcolor=under)))
        return segments

    def _colour(self, ink: Ink | None) -> "RichColor | None":
        """The colour of a pixel; with few colours, what is between two maps and a window's edge stay empty."""
        if ink is None:
            return None
        variables = self.app.theme_variables
        own = Color.parse(variables[COLOURS[ink.kind]])
        if not shows_colours(self.app):
            return None if ink.part in (CLEFT, WINDOW) else own.rich_color
        if ink.part == WINDOW:
            return Color.parse(variables["background"]).rich_color
        mixed = {FACE: 0.0 if ink.is_marked else DIMMED, EDGE: EDGED, CLEFT: CLEFTED}[ink.part]
        return own.blend(Color.parse(variables["background"]), mixed).rich_color

    def _labels(self, figures: list[Figure], marked: int | None) -> list[Strip]:
        """Below each volume: the layer that makes it, its shape, and the layers that keep it."""
        variables = self.app.theme_variables
        bold, quiet = Style(bold=True), Style(color=Color.parse(variables["quiet"]).rich_color)
        bad = Style(color=Color.parse(variables["error"]).rich_color, bold=True)
        accent = Style(color=Color.parse(variables["accent"]).rich_color, bold=True, reverse=True)
        lines: list[list[Segment]] = [[], [], []]
        for number, figure in enumerate(figures):
            volume, is_marked = figure.volume, number == marked
            follower = self._line.rpartition(".")[2] if is_marked and self._line in volume.lines[1:] else ""
            is_following = bool(follower and follower in volume.followers)
            own = bad if volume.kind == BROKEN else quiet if volume.kind == UNKNOWN else bold
            under = follower if is_following else volume.note or " ".join(volume.followers)
            room = figure.cells + 1
            for line, text, style in (
                (lines[0], volume.name, accent if is_marked and not is_following else own),
                (lines[1], compact(volume), quiet),
                (lines[2], under, accent if is_following else quiet),
            ):
                shown = shortened(text, room - 1)
                margin = max(
                    0, min(figure.face_left - figure.left + (figure.width - cells(shown)) // 2, room - 1 - cells(shown))
                )
                line += [
                    Segment(" " * margin),
                    Segment(shown, style),
                    Segment(column("", room + 1 - margin - cells(shown))),
                ]
        return [Strip(line) for line in lines]

    def on_click(self, event: Click) -> None:
        """Go to the layer whose volume was clicked on."""
        at = event.get_content_offset_capture(self).x + self._first_cell
        for figure in self._figures:
            if figure.left <= at < figure.left + figure.cells:
                self.post_message(self.Chosen(figure.volume.lines[-1 - len(figure.volume.followers)]))


def _first_cell(marked: Figure, total: int, width: int) -> int:
    """The drawing's first cell in view: the marked volume is in the middle where not all can be seen."""
    middle = marked.left + marked.cells // 2
    return max(0, min(middle - width // 2, total - width))
