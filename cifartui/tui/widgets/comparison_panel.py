"""Several runs side by side: their curves in one chart, their results, and the settings in which they differ."""

from collections.abc import Sequence
from typing import get_args

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cifartui.evaluation.comparison import Axis, Quantity, RunBeside, RunCurves, curves_of
from cifartui.tui.widgets.charts import HELD_OUT_MARK
from cifartui.tui.widgets.comparison_chart import TESTED_MARK, LetteredCurves, comparison_figure
from cifartui.tui.widgets.comparison_texts import legend, side_by_side
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.plot import Plot

BOTH_LINES = 32
"""From so many lines on, loss and accuracy are both drawn."""
TITLES: dict[Quantity, str] = {"loss": "loss", "accuracy": "accuracy, %"}
OVER: dict[Axis, str] = {"step": "steps", "epoch": "epochs", "time": "time of training"}


class ComparisonPanel(Panel):
    """Charts above, the table below; with few lines, one chart at a time."""

    def __init__(self, hint: str, *, widget_id: str) -> None:
        """`hint` stands there while no run is shown."""
        super().__init__("side by side", id=widget_id)
        self._hint = hint
        self._runs: tuple[RunBeside, ...] = ()
        self._axis: Axis = "step"
        self._quantity: Quantity = "loss"

    def compose(self) -> ComposeResult:
        yield Static(Content(self._hint), id="compared")
        for quantity in TITLES:
            yield Static(id=f"{quantity}-over", classes="heading")
            yield Plot(widget_id=f"{quantity}-compared")
        with VerticalScroll(id="table", can_focus=False):
            yield Static(id="side-by-side")

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def show(self, runs: Sequence[RunBeside]) -> None:
        """Draw runs, in the order of their letters."""
        if tuple(runs) != self._runs:
            self._runs = tuple(runs)
            self._draw()

    def turn_axis(self) -> None:
        """Draw over steps, epochs or time: the next of these."""
        axes: tuple[Axis, ...] = get_args(Axis)
        self._axis = axes[(axes.index(self._axis) + 1) % len(axes)]
        self._draw()

    def turn_quantity(self) -> None:
        """Draw the accuracy instead of the loss, or the other way round, where there is no room for both."""
        self._quantity = "accuracy" if self._quantity == "loss" else "loss"
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted or not self.content_size.width:
            return
        self.query_one("#compared", Static).update(
            legend(self._runs, self.content_size.width - 1) if self._runs else Content(self._hint)
        )
        draws_both = self.content_size.height >= BOTH_LINES
        for quantity, title in TITLES.items():
            shown = bool(self._runs) and (draws_both or quantity == self._quantity)
            heading, chart = self.query_one(f"#{quantity}-over"), self.query_one(f"#{quantity}-compared")
            heading.display = chart.display = shown
            if shown:
                curves = [self._curves(place, run, quantity) for place, run in enumerate(self._runs)]
                self.query_one(f"#{quantity}-compared", Plot).show(comparison_figure(curves, self._axis))
                self.query_one(f"#{quantity}-over", Static).update(
                    Content(f"{title} over {OVER[self._axis]}{_marks([each.curves for each in curves])}")
                )
        self.query_one("#side-by-side", Static).update(side_by_side(self._runs, self.content_size.width - 1))

    def _curves(self, place: int, run: RunBeside, quantity: Quantity) -> LetteredCurves:
        curves = curves_of(run, quantity, self._axis)
        if quantity == "accuracy":
            curves = RunCurves(*(tuple((x, 100 * share) for x, share in points) for points in curves))
        return LetteredCurves(place, curves)


def _marks(curves: Sequence[RunCurves]) -> str:
    """What the marks upon the lines stand for, of those that there are."""
    held_out = f"   {HELD_OUT_MARK} held-out" if any(each.held_out for each in curves) else ""
    return held_out + (f"   {TESTED_MARK} test" if any(each.tested for each in curves) else "")
