"""The widget that shows a figure: drawn when it has changed, and of the screen only the cells that have."""

from collections.abc import Iterator
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from cifartui.tui.theme import colour
from cifartui.tui.widgets.dot_canvas import Cell, Ink
from cifartui.tui.widgets.figure import Figure, Look, draw


class Plot(Widget):
    """A figure in all of the widget's cells."""

    DEFAULT_CSS = "Plot { height: 1fr; }"

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._figure = Figure()
        self._look = Look()
        self._drawn: list[list[Cell]] = []
        self._styles: dict[Ink | None, Style] = {}

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._forget_styles)

    @property
    def figure(self) -> Figure:
        """What is shown."""
        return self._figure

    def show(self, figure: Figure) -> None:
        """Show another figure."""
        if figure != self._figure:
            self._figure = figure
            self.redraw()

    @property
    def look(self) -> Look:
        """How it is looked at."""
        return self._look

    @look.setter
    def look(self, look: Look) -> None:
        if look != self._look:
            self._look = look
            self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw the figure, and send to the terminal what is not there yet."""
        if not self.is_attached or not self.size:
            return
        before, self._drawn = self._drawn, draw(self._figure, self._look, *self.size)
        if [len(line) for line in before] != [len(line) for line in self._drawn]:
            self.refresh()
        else:
            changed = list(_changed(before, self._drawn))
            if changed:
                self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        if y >= len(self._drawn):
            return Strip.blank(self.size.width, self.rich_style)
        return Strip(
            [
                Segment("".join(cell.character for cell in cells), self._style(ink))
                for ink, cells in groupby(self._drawn[y], key=lambda cell: cell.ink)
            ],
            len(self._drawn[y]),
        )

    def _style(self, ink: Ink | None) -> Style:
        style = self._styles.get(ink)
        if style is None:
            style = self.rich_style
            if ink:
                style += Style(color=colour(self.app, ink.colour).rich_color, dim=ink.is_faint, bold=ink.is_bold)
            self._styles[ink] = style
        return style

    def _forget_styles(self, _: Theme) -> None:
        self._styles.clear()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()


def _changed(before: list[list[Cell]], now: list[list[Cell]]) -> Iterator[Region]:
    """The stretches in which lines of cells differ, one a line."""
    for y, (old, new) in enumerate(zip(before, now, strict=True)):
        if old != new:
            differ = [x for x, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
            yield Region(differ[0], y, differ[-1] - differ[0] + 1, 1)
