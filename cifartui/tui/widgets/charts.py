"""Charts of the training curves, with axes drawn by plotext."""

import math
from collections.abc import Sequence

from textual.color import Color
from textual_plotext import PlotextPlot

from cifartui.training.history import Point, ValidationPoint

REDRAW_SECONDS = 0.5
"""Between two drawings of a chart; drawing takes milliseconds that a busy machine would rather train with."""


class CurveChart(PlotextPlot):
    """One curve over the steps, and points of a second kind upon it."""

    def __init__(self, *, widget_id: str, percent: bool) -> None:
        super().__init__(id=widget_id)
        self._percent = percent
        self._curve: list[tuple[float, float]] = []
        self._points: list[tuple[float, float]] = []
        self._steps = 0
        self._stale = True

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(REDRAW_SECONDS, self._redraw)

    def set_curve(
        self, curve: Sequence[tuple[float, float]], points: Sequence[tuple[float, float]], steps: int
    ) -> None:
        """Take a new curve of (step, value), and the number of steps that the whole run will have."""
        self._curve, self._points, self._steps = list(curve), list(points), steps
        self._stale = True

    def on_resize(self) -> None:
        self._stale = True
        self._redraw()

    def _redraw(self) -> None:
        if not self._stale or not self.is_attached or self.size.width < 10:
            return
        self._stale = False
        self.plt.clear_figure()
        scale = 100.0 if self._percent else 1.0
        curve = [(step, scale * value) for step, value in binned(self._curve, self.size.width)]
        if curve:
            self.plt.plot(*zip(*curve, strict=True), marker="braille", color=self._colour("primary"))
        if self._points:
            xs, ys = zip(*self._points, strict=True)
            self.plt.scatter(xs, [scale * y for y in ys], marker="●", color=self._colour("warning"))
        if self._steps:
            self.plt.xlim(0, self._steps)
        ticks = _ticks(self._steps, self.size.width)
        self.plt.xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        self.plt.yfrequency(min(5, max(2, self.size.height // 3)))
        self.refresh()

    def _colour(self, name: str) -> tuple[int, int, int]:
        colour = Color.parse(self.app.theme_variables[name])
        return colour.rgb


def binned(curve: Sequence[tuple[float, float]], bins: int) -> list[tuple[float, float]]:
    """Average a curve of (step, value) into at most `bins` equal stretches, without what is not finite."""
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    if len(finite) <= bins:
        return finite
    last = finite[-1][0]
    groups: dict[int, list[tuple[float, float]]] = {}
    for step, value in finite:
        groups.setdefault(int(bins * step / (last + 1)), []).append((step, value))
    return [
        (sum(step for step, _ in group) / len(group), sum(value for _, value in group) / len(group))
        for group in groups.values()
    ]


def loss_curve(curve: Sequence[Point]) -> list[tuple[float, float]]:
    """(step, loss)."""
    return [(point.step, point.loss) for point in curve]


def accuracy_curve(curve: Sequence[Point]) -> list[tuple[float, float]]:
    """(step, accuracy)."""
    return [(point.step, point.accuracy) for point in curve]


def validation_points(points: Sequence[ValidationPoint]) -> list[tuple[float, float]]:
    """(step, accuracy on the held-out images)."""
    return [(point.step, point.accuracy) for point in points]


def _ticks(steps: int, width: int) -> list[float]:
    """Round numbers of steps, about one every 14 columns."""
    if not steps:
        return []
    wanted = max(2, width // 14)
    rough = steps / wanted
    magnitude = 10 ** math.floor(math.log10(max(rough, 1)))
    spacing = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
    return [float(tick) for tick in range(0, steps + 1, max(1, int(spacing)))]
