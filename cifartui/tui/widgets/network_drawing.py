"""The network drawn to scale, with the volume marked in which the line of the table under the cursor ends."""

from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Click, Resize
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from cifartui.text import cells, shortened
from cifartui.tui.theme import colour
from cifartui.tui.widgets.network_figures import (
    CLEFT,
    EDGE,
    FACE,
    GAP,
    SHORTCUT,
    WINDOW,
    Figure,
    Ink,
    compact,
    figures_of,
    painted,
)
from cifartui.tui.widgets.palette import nearest_colours
from cifartui.tui.widgets.pixels import few_colours, shows_colours
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
    short,
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
    SHORTCUT: "explanation",
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
        self._colours: dict[Ink, RichColor | None] = {}
        """Of pixels, as far as they were needed."""

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._change_theme)

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

    def _change_theme(self, _: Theme) -> None:
        self._colours = {}
        self._draw_anew()

    def render_line(self, y: int) -> Strip:
        """One line of the terminal."""
        if self._strips is None:
            self._strips = self._drawn()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _drawn(self) -> list[Strip]:
        width, lines = self.size.width, self.size.height - LABEL_LINES
        if not self._volumes or lines < LEAST_LINES or not width:
            return []
        self._figures = figures = figures_of(self._volumes, width, 2 * lines)
        marked = next((figure for figure in figures if figure.volume.stands_for(self._line)), None)
        total = figures[-1].left + figures[-1].cells
        self._first_cell = first = _first_cell(marked or figures[0], total, width)
        last = first + width
        seen = [figure for figure in figures if figure.left < last and first < figure.left + figure.cells + GAP]
        place = seen.index(marked) if marked else None
        is_maker = bool(marked and self._line == marked.volume.maker)
        rows = painted(seen, 2 * lines, place, window=is_maker)
        strips = [Strip(self._half_blocks(upper, lower)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
        strips += self._labels(seen, place)
        start, style = first - seen[0].left, self.rich_style
        drawn = [_cut(strip, start, width) for strip in strips]
        if first:
            drawn[lines] = Strip.join([Strip([Segment("◂")]), drawn[lines].crop(1)])
        if last < total:
            drawn[lines] = Strip.join([drawn[lines].crop(0, width - 1), Strip([Segment("▸")])])
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
        if ink is None:
            return None
        if ink not in self._colours:
            self._colours[ink] = self._mixed(ink)
        return self._colours[ink]

    def _mixed(self, ink: Ink) -> "RichColor | None":
        """The colour of a pixel; with few colours, what is between two maps and a window's edge stay empty."""
        own, background = colour(self.app, COLOURS[ink.kind]), colour(self.app, "background")
        if not shows_colours(self.app):
            return None if ink.part in (CLEFT, WINDOW) else own.rich_color
        if ink.part == WINDOW:
            return background.rich_color
        mixed = own.blend(background, {FACE: 0.0 if ink.is_marked else DIMMED, EDGE: EDGED, CLEFT: CLEFTED}[ink.part])
        if few_colours(self.app):
            return _nearest(mixed).rich_color
        return mixed.rich_color

    def _labels(self, figures: list[Figure], marked: int | None) -> list[Strip]:
        """Below each volume: the layer that makes it, its shape, and the layers that keep it."""
        bold, quiet = Style(bold=True), Style(color=colour(self.app, "quiet").rich_color)
        bad = Style(color=colour(self.app, "error").rich_color, bold=True)
        cursor = Style(color=colour(self.app, "accent").rich_color, bold=True, reverse=True)
        lines: list[list[Segment]] = [[], [], []]
        for number, figure in enumerate(figures):
            volume, is_marked = figure.volume, number == marked
            is_following = is_marked and self._line in volume.followers
            own = bad if volume.kind == BROKEN else quiet if volume.kind == UNKNOWN else bold
            followers = [self._line] if is_following else volume.followers
            for line, text, style in (
                (lines[0], volume.name, cursor if is_marked and not is_following else own),
                (lines[1], compact(volume), quiet),
                (lines[2], " ".join(map(short, followers)) or volume.note, cursor if is_following else quiet),
            ):
                line += _label(figure, text, style)
        return [Strip(line) for line in lines]

    def on_click(self, event: Click) -> None:
        """Go to the layer whose volume was clicked on."""
        at = event.get_content_offset_capture(self).x + self._first_cell
        for figure in self._figures:
            if figure.left <= at < figure.left + figure.cells:
                self.post_message(self.Chosen(figure.volume.maker))


def _first_cell(marked: Figure, total: int, width: int) -> int:
    """The drawing's first cell in view: the marked volume is in the middle where not all can be seen."""
    middle = marked.left + marked.cells // 2
    return max(0, min(middle - width // 2, total - width))


def _label(figure: Figure, text: str, style: Style) -> list[Segment]:
    """A text below the middle of a figure's face, as wide as its place and the gap after it."""
    shown = shortened(text, figure.cells)
    middle = figure.face_left - figure.left + (figure.width - cells(shown)) // 2
    margin = max(0, min(middle, figure.cells - cells(shown)))
    rest = figure.cells + GAP - margin - cells(shown)
    return [Segment(" " * margin), Segment(shown, style), Segment(" " * rest)]


def _cut(strip: Strip, start: int, width: int) -> Strip:
    return strip.crop(start, start + width).adjust_cell_length(width)


def _nearest(wanted: Color) -> Color:
    """The one of 256 colours that looks most like a mixed one, which Rich takes for another hue."""
    import numpy as np

    return Color(*nearest_colours(np.array([[wanted.rgb]], dtype=np.uint8))[0, 0].tolist())
