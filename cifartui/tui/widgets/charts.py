"""Charts of the training curves, with axes drawn by plotext."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from textual.color import Color
from textual.content import Content
from textual_plotext import PlotextPlot

from cifartui.training.run.history import RunHistory

REDRAW_SECONDS = 0.5
"""Between two drawings of a chart; drawing takes milliseconds that a busy machine would rather train with."""
LABEL_CELLS = 5
"""Of the numbers at the left axis, so that the axes of charts below each other stand in one line."""
TICK_CELLS, TICK_LINES, MOST_TICKS = 12, 2, 6
"""Cells and lines between two numbers at the axes, about, and how many there are at most, about."""
TRAINING, HELD_OUT, BEST, GUESSING, TURN = "primary", "warning", "success", "secondary", "warning"
"""The theme's colours of what a chart shows; the marks differ too, since colours may not be seen."""
TRAINING_MARK, HELD_OUT_MARK, BEST_MARK, GUESSING_MARK, TURN_MARK = "⠒", "●", "★", "╌", "┆"

Points = Sequence[tuple[float, float]]
"""Of (step, value)."""


class TurnLabel(NamedTuple):
    """A new learning rate in a chart, at the step from which it holds."""

    step: float
    text: str
    alignment: Literal["left", "right"]
    """The side of the text that is at the step."""


class Curves(NamedTuple):
    """What a chart shows."""

    training: Points = ()
    held_out: Points = ()
    """A value for each epoch."""
    best_step: int | None = None
    """Where the result on the held-out images is best."""
    guessing: float | None = None
    """The loss of a network that gives all classes the same probability."""
    steps: int = 0
    """That the whole run will have; 0 while that is not known."""
    turns: Points = ()
    """The steps at which the learning rate was changed, and the new one."""
    from_zero: bool = False
    """Whether the axis begins at 0, however small the values' range."""


class CurveChart(PlotextPlot):
    """A curve over the steps for the training images, and one for the held-out images upon it."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.theme = "textual-default"  # the colours of the widget: any other is invisible in some terminal
        self._curves = Curves()
        self._stale = True

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(REDRAW_SECONDS, self._redraw)

    def set_curves(self, curves: Curves) -> None:
        """Take new curves; they are drawn a moment later."""
        self._stale = self._stale or curves != self._curves
        self._curves = curves

    def on_resize(self) -> None:
        self._stale = True
        self._redraw()

    def _redraw(self) -> None:
        if not self._stale or not self.is_attached or self.size.width < 10:
            return
        self._stale = False
        curves, width = self._curves, self.size.width - LABEL_CELLS
        training, held_out = binned(curves.training, width), binned(curves.held_out, width)
        self.plt.clear_figure()
        self.plt.xaxes(True, False)
        self.plt.yaxes(True, False)
        if curves.guessing is not None and curves.steps:
            columns = [curves.steps * column / width for column in range(width + 1)]
            self.plt.scatter(
                columns, [curves.guessing] * len(columns), marker=GUESSING_MARK, color=self._colour(GUESSING)
            )
        values = [value for _, value in (*training, *held_out)]
        values += [] if curves.guessing is None else [curves.guessing]
        values += [0.0] if curves.from_zero else []
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        high = high if high > low else low + 1
        if values and curves.steps:
            self._draw_turns(curves, low, high)
        if held_out:  # its line first, its marks last: where the curves meet, both are seen
            self.plt.plot(*zip(*held_out, strict=True), marker="·", color=self._colour(HELD_OUT))
        if training:
            self.plt.plot(*zip(*training, strict=True), marker="braille", color=self._colour(TRAINING))
        if held_out:
            self.plt.scatter(*zip(*held_out, strict=True), marker=HELD_OUT_MARK, color=self._colour(HELD_OUT))
        best = [point for point in curves.held_out if point[0] == curves.best_step]
        if best:
            self.plt.scatter(*zip(*best, strict=True), marker=BEST_MARK, color=self._colour(BEST))
        if curves.steps:
            self.plt.xlim(0, curves.steps)
            ticks = round_ticks(0, curves.steps, width // TICK_CELLS)
            self.plt.xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        if values:
            self.plt.ylim(low, high)
            ticks = round_ticks(low, high, min(MOST_TICKS, self.size.height // TICK_LINES))
            self.plt.yticks(ticks, [f"{tick:>{LABEL_CELLS},.10g}" for tick in ticks])
        self.refresh()

    def _draw_turns(self, curves: Curves, low: float, high: float) -> None:
        """An upright line at each change of the learning rate, with the new one where there is room for it."""
        lines, colour = 2 * self.size.height, self._colour(TURN)
        upright = [low + (high - low) * line / lines for line in range(lines + 1)]
        for step, _ in curves.turns:
            self.plt.scatter([step] * len(upright), upright, marker=TURN_MARK, color=colour)
        for step, text, alignment in turn_labels(curves, self.size.width - LABEL_CELLS):
            self.plt.text(text, step, high, color=colour, background="default", alignment=alignment)

    def _colour(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def loss_curves(history: RunHistory, guessing: float | None) -> Curves:
    """The losses of a run."""
    return Curves(
        [(point.step, math.nan if point.loss is None else point.loss) for point in history.curve],
        [(point.step, point.loss) for point in history.validation if point.loss is not None],
        history.best.step if history.best else None,
        guessing,
        history.steps,
        [(change.step, change.after) for change in history.rate_changes],
    )


def accuracy_curves(history: RunHistory) -> Curves:
    """The accuracies of a run, in per cent."""
    return Curves(
        [(point.step, 100 * point.accuracy) for point in history.curve],
        [(point.step, 100 * point.accuracy) for point in history.validation],
        history.best.step if history.best else None,
        None,
        history.steps,
    )


def legend(title: str, curves: Curves, cells: int) -> Content:
    """A chart's title, and what its marks stand for in the colours in which they are drawn, in `cells` if possible."""
    marks = [(f"{TRAINING_MARK} training", TRAINING)]
    if curves.held_out:
        marks.append((f"{HELD_OUT_MARK} held-out", HELD_OUT))
    if curves.best_step is not None:
        marks.append((f"{BEST_MARK} best", BEST))
    if curves.turns:
        marks.append((f"{TURN_MARK} rate", TURN))
    if curves.guessing is not None:
        marks.append((f"{GUESSING_MARK} guessing", GUESSING))

    def assembled(gap: str, value: str) -> Content:
        parts = [(f"{gap}{text}", f"${colour}") for text, colour in marks]
        return Content.assemble((title, "bold $primary"), *parts, (value, f"${GUESSING}"))

    value = "" if curves.guessing is None else f" ln {math.exp(curves.guessing):.0f} = {curves.guessing:.3f}"
    roomy = assembled("   ", value)
    return roomy if roomy.cell_length <= cells else assembled(" ", "")


def turn_labels(curves: Curves, cells: int) -> list[TurnLabel]:
    """Where the new learning rates stand in a chart of so many cells.

    The newest has its place first; those that would touch another are left out, their lines stay.
    """
    labels: list[TurnLabel] = []
    taken: list[tuple[float, float]] = []
    for step, rate in reversed(curves.turns):
        text = f"{rate:.3g}"
        place, length = cells * step / curves.steps, len(text) + 2
        fits_right = place + length <= cells
        begin = place if fits_right else place - length
        if any(begin < end and start < begin + length for start, end in taken):
            continue
        taken.append((begin, begin + length))
        if fits_right:
            labels.append(TurnLabel(step, TURN_MARK + text, "left"))
        else:
            labels.append(TurnLabel(step, text + TURN_MARK, "right"))
    return labels


def binned(curve: Points, bins: int) -> list[tuple[float, float]]:
    """Average a curve of (step, value) into at most `bins` equal stretches, without what is not finite."""
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    if len(finite) <= bins:
        return finite
    last = finite[-1][0] or 1.0
    groups: dict[int, list[tuple[float, float]]] = {}
    for step, value in finite:
        groups.setdefault(min(bins - 1, int(bins * step / last)), []).append((step, value))
    return [
        (sum(step for step, _ in group) / len(group), sum(value for _, value in group) / len(group))
        for group in groups.values()
    ]


def round_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Round numbers at equal distances from `low` to the higher `high`, about `wanted` and two at least."""
    rough = 0.8 * (high - low) / max(1, wanted)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    spacings = [factor * magnitude for factor in (10, 5, 2, 1, 0.5, 0.2)]
    widest = min(spacing for spacing in spacings if spacing >= rough)
    for spacing in spacings[spacings.index(widest) :]:
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        if last > first:
            break
    return [round(number * spacing, 12) for number in range(first, last + 1)]
