"""The choice of a run: all there are, newest first, living and ended."""

import time
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static
from textual.worker import get_current_worker

from cifartui.text import printable
from cifartui.training.overview import RunOverview, overview
from cifartui.training.run import all_runs
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.view import MARKS, short_id

COLUMNS = ("state", "run", "network", "data set", "accuracy", "started")


class RunList(DataTable[Text]):
    """A line for each run; says on the line of keys what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "look at it",
            tooltip="Show the run under the cursor on the training screen",
            id="runs.look",
        ),
        Binding("home", "row(0)", "newest", tooltip="Go to the newest run", show=False, id="runs.newest"),
        Binding("end", "row(-1)", "oldest", tooltip="Go to the oldest run", show=False, id="runs.oldest"),
    ]

    def action_row(self, row: int) -> None:
        """Go to the first or the last row."""
        self.move_cursor(row=row % max(1, self.row_count))


class RunsScreen(CifarScreen):
    """All runs; closes when one is brought into view."""

    CSS_PATH = "runs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,o,q", "close", "back", tooltip="Back to the training screen", id="runs.close", key_display="esc"
        )
    ]

    def __init__(self) -> None:
        super().__init__()
        self._notes: dict[str, str] = {}
        """By the run's id, what else there is to say of it."""

    def compose(self) -> ComposeResult:
        yield Static("reading the runs …", id="title", classes="heading")
        yield RunList(cursor_type="row")
        yield Static(id="note")

    def on_mount(self) -> None:
        self.query_one(RunList).add_columns(*COLUMNS)
        self._read()

    @work(thread=True, group="read runs", exit_on_error=False, description="read the runs")
    def _read(self) -> None:
        worker, runs = get_current_worker(), all_runs()
        for run in runs:
            if worker.is_cancelled:
                return
            try:
                self.app.call_from_thread(self._add, overview(run))
            except OSError:
                continue  # it was removed meanwhile
        self.app.call_from_thread(self._all_read)

    def _add(self, run: RunOverview) -> None:
        if not self.is_mounted:
            return
        table = self.query_one(RunList)
        self._notes[run.id] = note_of(run)
        view = self.cifar_app.run_view
        in_view = view is not None and view.run.id == run.id
        table.add_row(*(Text(printable(cell), style="bold" if in_view else "") for cell in row_of(run)), key=run.id)
        if in_view:
            table.move_cursor(row=table.row_count - 1)

    def _all_read(self) -> None:
        if not self.is_mounted:
            return
        runs = self.query_one(RunList).row_count
        title = f"{runs:,} run{'s' * (runs != 1)}" if runs else "no runs yet · esc, then enter on the training screen"
        self.query_one("#title", Static).update(Content(title))

    @on(DataTable.RowHighlighted)
    def _explain(self, event: DataTable.RowHighlighted) -> None:
        note = self._notes.get(str(event.row_key.value), "") if event.row_key else ""
        self.query_one("#note", Static).update(Content(printable(note)))

    @on(DataTable.RowSelected)
    def _look(self, event: DataTable.RowSelected) -> None:
        run = next((run for run in all_runs() if run.id == event.row_key.value), None)
        if run is None:
            self.cifar_app.complain("That run's folder is gone.")
            return
        self.dismiss()
        self.cifar_app.follow_run(run)

    def action_close(self) -> None:
        """Go back without another run."""
        self.dismiss()


def row_of(run: RunOverview) -> list[str]:
    """A run's cells in the table."""
    state = "‖ stands still" if run.stalled_seconds else f"{MARKS[run.state]} {run.state}"
    accuracy = run.last_accuracy if run.best_accuracy is None else run.best_accuracy
    return [
        f"{state}{' !' if run.problem else ''}",
        short_id(run.id),
        run.model,
        run.dataset,
        "" if accuracy is None else f"{accuracy:.1%}{' ★' if run.best_accuracy is not None else ''}",
        time.strftime("%d %b %H:%M", time.localtime(run.created)),
    ]


def note_of(run: RunOverview) -> str:
    """How far a run came and what its accuracy is of, in a sentence, or what is wrong with it."""
    if run.problem:
        return run.problem
    progress = f"{run.id}: recipe {run.recipe}, epoch {run.epoch:,} of {run.epochs:,}, step {run.step:,}."
    if run.best_accuracy is not None:
        return f"{progress} ★ {run.best_accuracy:.1%} is its best on the held-out images."
    if run.last_accuracy is not None:
        return f"{progress} {run.last_accuracy:.1%} is of the training images in its last epoch; none were held out."
    return f"{progress} No epoch is done yet."
