"""What a chart shows, as plain values, and how it is drawn into cells; no widget and no terminal is needed for it."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cifartui.tui.widgets.axes import Scale, Ticks, log_ticks, number_ticks, rounded_scale, short_label
from cifartui.tui.widgets.dot_canvas import DOT_COLUMNS, DOT_LINES, EMPTY, Cell, DotCanvas, Ink

LABEL_CELLS = 6
"""Of the numbers at the left axis, so that the axes of charts below each other stand in one line."""
FOOT_LINES = 2
"""The lower axis and its numbers."""
TICK_CELLS, TICK_LINES, MOST_TICKS = 12, 2, 6
"""Cells and lines between two numbers at the axes, about, and how many there are at most, about."""
AXIS = Ink("quiet", is_faint=True)
NUMBERS = Ink("quiet")
CURSOR = Ink("foreground")
CURSOR_MARK = "│"

Points = Sequence[tuple[float, float]]
"""Of (place, value), the places rising; a value that is not finite is a gap."""


class Series(NamedTuple):
    """Values over places."""

    name: str
    points: Points
    ink: Ink
    form: Literal["line", "dashes", "dots", "marks"] = "line"
    """Joined by a line, by a dashed one, or not joined: a dot each, or a mark each."""
    mark: str = ""


class Upright(NamedTuple):
    """A line from top to bottom behind the curves, with a text at its head where there is room for it."""

    place: float
    mark: str
    ink: Ink
    label: str = ""


class Level(NamedTuple):
    """A line from left to right behind the curves."""

    value: float
    mark: str
    ink: Ink


class Foot(NamedTuple):
    """A mark upon the lower axis."""

    place: float
    mark: str
    ink: Ink


class Letter(NamedTuple):
    """A text upon the curves."""

    place: float
    value: float
    text: str
    ink: Ink


class Figure(NamedTuple):
    """What a chart shows."""

    series: tuple[Series, ...] = ()
    """What is drawn later covers what is drawn before."""
    uprights: tuple[Upright, ...] = ()
    levels: tuple[Level, ...] = ()
    feet: tuple[Foot, ...] = ()
    letters: tuple[Letter, ...] = ()
    start: float = 0.0
    end: float = 0.0
    """Of the places; up to `start`, they are not known."""
    floor: float | None = None
    """A value to which the upright axis goes at least."""
    ceiling: float | None = None
    """A value at which it ends, whatever is above."""
    place_ticks: Ticks = number_ticks


class Look(NamedTuple):
    """How a figure is looked at."""

    zoom: int = 1
    """How many times longer than the chart the figure is."""
    left: float = 0.0
    """The place at the left edge, as a share of the figure's length."""
    cursor: float | None = None
    """The place at which values are read."""
    is_log: bool = False
    """Whether values lie along their logarithms."""

    def window(self, figure: Figure) -> tuple[float, float]:
        """The places at the edges of the chart."""
        length = figure.end - figure.start
        low = figure.start + self.left * length
        return low, low + length / self.zoom


def draw(figure: Figure, look: Look, columns: int, lines: int) -> list[list[Cell]]:
    """Draw a figure with its axes into so many lines of so many cells each."""
    if columns < LABEL_CELLS + 4 or lines < FOOT_LINES + 2:
        return [[EMPTY] * columns for _ in range(lines)]
    canvas = DotCanvas(columns - LABEL_CELLS - 1, lines - FOOT_LINES)
    low, high = look.window(figure)
    across = Scale(low, high) if high > low else None
    wanted = min(MOST_TICKS, lines // TICK_LINES)
    scale = _values_scale(figure, look, across, wanted) if across else None
    if across and scale:
        _Plotter(canvas, across, scale).plot(figure, look.cursor)
    beside: dict[int, str] = {}
    if scale:
        for tick in (log_ticks if scale.is_log else number_ticks)(scale.low, scale.high, wanted):
            line = round((1 - scale.share(tick.value)) * (canvas.lines - 1))
            beside[line] = short_label(tick, LABEL_CELLS)
    drawn = []
    for line in range(canvas.lines):
        number = _cells(f"{beside.get(line, ''):>{LABEL_CELLS}}", NUMBERS)
        drawn.append([*number, Cell("┤" if line in beside else "│", AXIS), *canvas.cells(line)])
    return drawn + _foot(figure, look, across, columns)


def _values_scale(figure: Figure, look: Look, across: Scale, wanted: int) -> Scale | None:
    """The upright scale of the values in sight, and of the levels while all is looked at; None where there are none."""
    inside = [
        value
        for series in figure.series
        for place, value in series.points
        if across.low <= place <= across.high and math.isfinite(value) and (value > 0 or not look.is_log)
    ]
    if not inside:
        return None
    inside += [level.value for level in figure.levels if look.zoom == 1]
    inside += [figure.floor] if figure.floor is not None and not look.is_log else []
    highest = max(inside) if figure.ceiling is None else min(max(inside), figure.ceiling)
    return rounded_scale(min(inside), highest, wanted, is_log=look.is_log)


def reading(figure: Figure, place: float) -> list[tuple[Series, float, float]]:
    """Each series with the place and the value of its point next to a place, of those that have points."""
    found = []
    for series in figure.series:
        if series.points:
            at = bisect_left(series.points, place, key=lambda point: point[0])
            near = min(series.points[max(0, at - 1) : at + 1], key=lambda point: abs(point[0] - place))
            found.append((series, *near))
    return found


class _Plotter:
    """Draws the parts of a figure into a canvas between two scales."""

    def __init__(self, canvas: DotCanvas, across: Scale, scale: Scale) -> None:
        self._canvas, self._across, self._scale = canvas, across, scale
        self._right, self._bottom = canvas.dots_wide - 1, canvas.dots_high - 1

    def plot(self, figure: Figure, cursor: float | None) -> None:
        for level in figure.levels:
            if self._scale.low <= level.value <= self._scale.high:
                self._canvas.write(0, self._line(level.value), level.mark * self._canvas.columns, level.ink)
        for upright in figure.uprights:
            if self._is_inside(upright.place):
                self._canvas.upright(self._column(upright.place), upright.mark, upright.ink)
        self._write_labels(figure.uprights)
        for series in figure.series:
            self._plot_series(series)
        for letter in figure.letters:
            if self._is_inside(letter.place) and self._scale.has_place_for(letter.value):
                self._canvas.write(self._column(letter.place), self._line(letter.value), letter.text, letter.ink)
        if cursor is not None and self._is_inside(cursor):
            self._canvas.upright(self._column(cursor), CURSOR_MARK, CURSOR)

    def _plot_series(self, series: Series) -> None:
        canvas, low, high = self._canvas, self._across.low, self._across.high
        before: tuple[float, float] | None = None
        for place, value in series.points:
            if not self._scale.has_place_for(value):
                before = None
                continue
            x = self._across.share(place) * self._right
            y = (1 - self._scale.share(value)) * self._bottom
            if series.form in ("line", "dashes"):
                if before and place >= low and before[0] <= self._right:
                    canvas.line(*before, x, y, series.ink, is_dashed=series.form == "dashes")
                elif before is None and low <= place <= high:
                    canvas.line(x, y, x, y, series.ink)
            elif low <= place <= high and 0 <= y <= self._bottom:
                if series.form == "dots":
                    canvas.dot(round(x), round(y), series.ink)
                else:
                    canvas.write(round(x) // DOT_COLUMNS, round(y) // DOT_LINES, series.mark, series.ink)
            before = x, y

    def _write_labels(self, uprights: Sequence[Upright]) -> None:
        """At the heads of their lines: the last has its place first, those that would touch another are left out."""
        taken: list[tuple[int, int]] = []
        for upright in reversed(uprights):
            if not upright.label or not self._is_inside(upright.place):
                continue
            column, cells = self._column(upright.place), len(upright.label)
            begin = column + 1 if column + 1 + cells <= self._canvas.columns else column - cells
            if all(end < begin - 1 or begin + cells + 1 < start for start, end in taken):
                taken.append((min(begin, column), max(begin + cells, column)))
                self._canvas.write(begin, 0, upright.label, upright.ink)

    def _is_inside(self, place: float) -> bool:
        return self._across.low <= place <= self._across.high

    def _column(self, place: float) -> int:
        return round(self._across.share(place) * self._right) // DOT_COLUMNS

    def _line(self, value: float) -> int:
        return round((1 - self._scale.share(value)) * self._bottom) // DOT_LINES


def _foot(figure: Figure, look: Look, across: Scale | None, columns: int) -> list[list[Cell]]:
    """The lower axis with its marks, and the numbers below it."""
    axis = _cells(" " * LABEL_CELLS + "└" + "─" * (columns - LABEL_CELLS - 1), AXIS)
    numbers = [EMPTY] * columns
    if across is None:
        return [axis, numbers]
    cells = columns - LABEL_CELLS - 1
    last_dot = cells * DOT_COLUMNS - 1

    def column(place: float) -> int:
        return LABEL_CELLS + 1 + round(across.share(place) * last_dot) // DOT_COLUMNS

    free_from = 0
    for tick in figure.place_ticks(across.low, across.high, max(1, cells // TICK_CELLS)):
        at = column(tick.value)
        axis[at] = Cell("┬", AXIS)
        begin = max(0, min(at - len(tick.label) // 2, columns - len(tick.label)))
        if begin >= free_from:
            numbers[begin : begin + len(tick.label)] = _cells(tick.label, NUMBERS)
            free_from = begin + len(tick.label) + 1
    for foot in figure.feet:
        if across.low <= foot.place <= across.high:
            axis[column(foot.place)] = Cell(foot.mark, foot.ink)
    if look.cursor is not None and across.low <= look.cursor <= across.high:
        axis[column(look.cursor)] = Cell("┼", CURSOR)
    return [axis, numbers]


def _cells(text: str, ink: Ink) -> list[Cell]:
    return [EMPTY if character == " " else Cell(character, ink) for character in text]
