"""The comparison of runs: curves, results and differing settings on a screen of their own."""

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from cifartui.evaluation.comparison import RunBeside, read_beside
from cifartui.training.run.folder import Run
from cifartui.training.run.states import LIVING
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.widgets.comparison_panel import ComparisonPanel

REFRESH_SECONDS = 2.0
"""Between two looks at runs that live."""


class ComparingScreen(CifarScreen):
    """A screen with a panel of runs side by side, which follows those that live."""

    LESSON = "chart.comparison"
    CSS_PATH = "comparison.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "s",
            "turn_axis",
            "axis",
            tooltip="Draw the curves over steps, over epochs or over the time of training",
            id="comparison.axis",
        ),
        Binding(
            "c",
            "turn_quantity",
            "loss/accuracy",
            tooltip="Draw accuracies instead of losses, or the other way round; where there is room, both are drawn",
            id="comparison.quantity",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[Run] = []
        """In the order of their letters."""
        self._beside: dict[str, RunBeside] = {}
        """What was read of them, by their ids."""

    def on_mount(self) -> None:
        self.set_interval(REFRESH_SECONDS, self._refresh_living)

    def compare(self, runs: Sequence[Run]) -> None:
        """Show these runs side by side."""
        self.compared = list(runs)
        self._read_compared([run for run in runs if run.id not in self._beside])

    def _refresh_living(self) -> None:
        known = (self._beside.get(run.id) for run in self.compared)
        living = {run.results.id for run in known if run and run.results.state in LIVING}
        if living:
            self._read_compared([run for run in self.compared if run.id in living])

    @work(thread=True, group="compare", exit_on_error=False, description="read the runs to compare")
    def _read_compared(self, runs: list[Run]) -> None:
        worker, beside = get_current_worker(), []
        for run in runs:
            if worker.is_cancelled:
                return
            try:
                beside.append(read_beside(run))
            except OSError:
                continue  # it was removed meanwhile
        self.app.call_from_thread(self._show_compared, beside)

    def _show_compared(self, beside: list[RunBeside]) -> None:
        self._beside |= {run.results.id: run for run in beside}
        if self.is_mounted:
            there = (self._beside.get(run.id) for run in self.compared)
            self.query_one(ComparisonPanel).show([run for run in there if run])

    def action_turn_axis(self) -> None:
        """Draw over another axis."""
        self.query_one(ComparisonPanel).turn_axis()

    def action_turn_quantity(self) -> None:
        """Draw the other quantity."""
        self.query_one(ComparisonPanel).turn_quantity()


class ComparisonScreen(ComparingScreen):
    """Nothing but the comparison."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_table(-1)", "up", show=False, tooltip="Scroll the table back", id="comparison.up"),
        Binding("down", "scroll_table(1)", "down", show=False, tooltip="Scroll the table on", id="comparison.down"),
        Binding(
            "escape,q", "close", "back", tooltip="Back to the list of runs", id="comparison.close", key_display="esc"
        ),
    ]

    def __init__(self, runs: Sequence[Run]) -> None:
        super().__init__()
        self._runs = runs

    def compose(self) -> ComposeResult:
        yield ComparisonPanel("reading the runs …", widget_id="comparison")

    def on_mount(self) -> None:
        self.call_after_refresh(self.compare, self._runs)  # they may be read before the screen is mounted

    def action_scroll_table(self, lines: int) -> None:
        """Scroll the table."""
        self.query_one("#table").scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()
