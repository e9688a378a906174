"""The learning-rate finder's curve: the loss over the rate, on a logarithmic axis, drawn by plotext."""

import math
from collections.abc import Sequence

from textual.color import Color
from textual_plotext import PlotextPlot

from cifartui.training.rate_rules import HIGHEST, LOWEST, RateTried, Suggestion
from cifartui.tui.widgets.charts import LABEL_CELLS, MOST_TICKS, TICK_CELLS, TICK_LINES, round_ticks

CHOSEN_MARK, OTHER_MARK = "┃", "┆"
ROOM_ABOVE = 1.0
"""Above the loss at the beginning, as a share of how far it fell: where it runs away it leaves the chart."""
LEAST_ROOM = 0.02
"""As a share of that loss: what is smaller is noise, and not drawn larger."""


class RateChart(PlotextPlot):
    """The running mean of the losses, and an upright line at each suggestion."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.theme = "textual-default"  # the colours of the widget: any other is invisible in some terminal
        self._tried: Sequence[RateTried] = ()
        self._suggestions: Sequence[Suggestion] = ()
        self._chosen: Suggestion | None = None

    def show(
        self, tried: Sequence[RateTried], suggestions: Sequence[Suggestion] = (), chosen: Suggestion | None = None
    ) -> None:
        """Draw a curve so far, and what is suggested at its end."""
        self._tried, self._suggestions, self._chosen = tried, suggestions, chosen
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        if not self.is_attached or self.size.width < 10:
            return
        width, height = self.size.width - LABEL_CELLS, self.size.height
        curve = [(math.log10(point.rate), point.smoothed) for point in self._tried if point.smoothed is not None]
        self.plt.clear_figure()
        self.plt.xaxes(True, False)
        self.plt.yaxes(True, False)
        self.plt.xlim(math.log10(LOWEST), math.log10(HIGHEST))
        powers = round_ticks(math.log10(LOWEST), math.log10(HIGHEST), width // TICK_CELLS)
        self.plt.xticks(powers, [f"{10**power:g}" for power in powers])
        if curve:
            low, high = _bounds([loss for _, loss in curve])
            for suggestion in self._suggestions:
                self._draw_suggestion(suggestion, low, high)
            inside = [(power, loss) for power, loss in curve if loss <= high]
            self.plt.plot(*zip(*inside, strict=True), marker="braille", color=self._colour("primary"))
            self.plt.ylim(low, high)
            ticks = round_ticks(low, high, min(MOST_TICKS, height // TICK_LINES))
            self.plt.yticks(ticks, [f"{tick:>{LABEL_CELLS},.10g}" for tick in ticks])
        self.refresh()

    def _draw_suggestion(self, suggestion: Suggestion, low: float, high: float) -> None:
        lines, power, is_chosen = 2 * self.size.height, math.log10(suggestion.rate), suggestion == self._chosen
        colour = self._colour("warning" if is_chosen else "secondary")
        upright = [low + (high - low) * line / lines for line in range(lines + 1)]
        mark = CHOSEN_MARK if is_chosen else OTHER_MARK
        self.plt.scatter([power] * len(upright), upright, marker=mark, color=colour)

    def _colour(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _bounds(losses: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest loss that the chart shows."""
    first, lowest = losses[0], min(losses)
    room = max(ROOM_ABOVE * (first - lowest), LEAST_ROOM * abs(first))
    return lowest, max(min(max(losses), first + room), lowest + LEAST_ROOM * abs(first))
