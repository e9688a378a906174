"""The curves of several runs in one chart, each with a letter of its own."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from textual.color import Color
from textual_plotext import PlotextPlot

from cifartui.evaluation.comparison import Axis, RunCurves
from cifartui.text import clock
from cifartui.tui.widgets.charts import (
    HELD_OUT_MARK,
    LABEL_CELLS,
    MOST_TICKS,
    TICK_CELLS,
    TICK_LINES,
    binned,
    round_ticks,
)

LETTERS = "ABCDEFGH"
"""The runs' names in charts; more curves than that cannot be told apart."""
COLOURS = ("#6cb6ff", "#f6a04d", "#7ee787", "#ff7b72", "#d2a8ff", "#f2cc60", "#56d4c5", "#e58fb6")
TESTED_MARK = "◆"
STAGGER = 0.06
"""Of the chart's width, by which a letter stands before that of the run before: curves often end at one place."""


SHORT_SECONDS = 5.0
"""Of less, fractions are written."""
CLOCK_SPACINGS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
"""Seconds between two ticks that read well on a clock."""


class LetteredCurves(NamedTuple):
    """The curves of a run, and its place among those compared."""

    place: int
    curves: RunCurves


class ComparisonChart(PlotextPlot):
    """A line for the training images of each run, dots for held-out and diamonds for test images."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.theme = "textual-default"  # the colours of the widget: any other is invisible in some terminal
        self._lettered: tuple[LetteredCurves, ...] = ()
        self._axis: Axis = "step"

    def set_curves(self, lettered: Sequence[LetteredCurves], axis: Axis) -> None:
        """Draw other curves, over another axis."""
        self._lettered, self._axis = tuple(lettered), axis
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        width = self.size.width - LABEL_CELLS
        if not self.is_attached or width < 2 * LABEL_CELLS or self.size.height < 2:
            return
        self.plt.clear_figure()
        self.plt.xaxes(True, False)
        self.plt.yaxes(True, False)
        drawn = [
            (place, RunCurves(*(tuple(binned(points, width)) for points in curves))) for place, curves in self._lettered
        ]
        points = [point for _, curves in drawn for part in curves for point in part]
        if points:
            self._draw_axes(points, width)
        for place, curves in drawn:
            self._draw(place, curves)
        for place, curves in drawn:  # upon all curves
            self._write_letter(place, curves)
        self.refresh()

    def _draw(self, place: int, curves: RunCurves) -> None:
        colour = Color.parse(COLOURS[place]).rgb
        if curves.training:
            self.plt.plot(*zip(*curves.training, strict=True), marker="braille", color=colour)
        if curves.held_out:
            self.plt.scatter(*zip(*curves.held_out, strict=True), marker=HELD_OUT_MARK, color=colour)
        if curves.tested:
            self.plt.scatter(*zip(*curves.tested, strict=True), marker=TESTED_MARK, color=colour)

    def _write_letter(self, place: int, curves: RunCurves) -> None:
        curve = curves.training or curves.held_out or curves.tested
        if curve:
            end = curve[-1][0]
            x, y = next(
                point for point in reversed(curve) if point[0] <= end * (1 - STAGGER * place) or point == curve[0]
            )
            self.plt.text(
                LETTERS[place], x, y, color=Color.parse(COLOURS[place]).rgb, background="default", style="bold"
            )

    def _draw_axes(self, points: Sequence[tuple[float, float]], width: int) -> None:
        end = max(x for x, _ in points) or 1.0
        low, high = min(y for _, y in points), max(y for _, y in points)
        high = high if high > low else low + 1
        self.plt.xlim(0, end)
        if self._axis == "time" and end >= SHORT_SECONDS:
            ticks = clock_ticks(end, width // TICK_CELLS)
            labels = [clock(tick) for tick in ticks]
        else:
            ticks = round_ticks(0, end, width // TICK_CELLS)
            labels = [f"{tick:,.6g}{' s' * (self._axis == 'time')}" for tick in ticks]
        self.plt.xticks(ticks, labels)
        self.plt.ylim(low, high)
        ticks = round_ticks(low, high, min(MOST_TICKS, self.size.height // TICK_LINES))
        self.plt.yticks(ticks, [f"{tick:>{LABEL_CELLS},.10g}" for tick in ticks])


def clock_ticks(end: float, wanted: int) -> list[float]:
    """Times from 0 to `end` seconds, equally far from each other and `wanted` at most besides the first."""
    spacing = next((each for each in CLOCK_SPACINGS if end / each <= max(1, wanted)), 0)
    spacing = spacing or CLOCK_SPACINGS[-1] * math.ceil(end / CLOCK_SPACINGS[-1] / max(1, wanted))
    return [float(number * spacing) for number in range(int(end // spacing) + 1)]
