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

from cifartui.errors import CifartuiError
from cifartui.evaluation.store import KeptEvaluation, last_result
from cifartui.failures import failure
from cifartui.text import cells, printable, shortened
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.folder import Run, all_runs, find_run
from cifartui.training.run.keeping import remove_run, require_not_living
from cifartui.training.run.overview import RunOverview, overview
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.view import MARKS, short_id
from cifartui.tui.widgets.dialogs import ConfirmDialog

COLUMNS = {"state": 16, "run": 18, "data set": 14, "held-out": 9, "test": 7, "started": 12}
"""Labels, and cells with the gap to the next column; they fit a terminal of 80 columns."""
NAME_CELLS, DATASET_CELLS, STATE_CELLS = 17, 13, 15
NOTHING = "–"


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
        Binding(
            "delete",
            "screen.remove",
            "remove",
            tooltip="Remove the run under the cursor with all that it saved; you are asked first",
            id="runs.remove",
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
        yield RunList(cursor_type="row", cell_padding=0)
        yield Static(id="note")

    def on_mount(self) -> None:
        for label, width in COLUMNS.items():
            self.query_one(RunList).add_column(label, width=width)
        self.call_after_refresh(self._read)  # the first run may be read before the screen is mounted

    @work(thread=True, group="read runs", exit_on_error=False, description="read the runs")
    def _read(self) -> None:
        worker, runs = get_current_worker(), all_runs()
        for run in runs:
            if worker.is_cancelled:
                return
            try:
                self.app.call_from_thread(self._add, overview(run), last_result(run), parent_of(run))
            except OSError:
                continue  # it was removed meanwhile
        self.app.call_from_thread(self._all_read)

    def _add(self, run: RunOverview, tested: KeptEvaluation | None, parent: str) -> None:
        if not self.is_mounted:
            return
        table = self.query_one(RunList)
        self._notes[run.id] = note_of(run) + f" It goes on from {short_id(parent)}." * bool(parent)
        view = self.cifar_app.run_view
        in_view = view is not None and view.run.id == run.id
        style = "bold" if in_view else ""
        muted = self.app.theme_variables["text-muted"]
        texts = (Text(cell, style=muted if cell == NOTHING else style) for cell in row_of(run, tested))
        table.add_row(*texts, key=run.id)
        if in_view:
            table.move_cursor(row=table.row_count - 1)

    def _all_read(self) -> None:
        if not self.is_mounted:
            return
        runs = self.query_one(RunList).row_count
        title = f"{runs:,} run{'s' * (runs != 1)}" if runs else "no runs yet · esc, then enter on the training screen"
        self.query_one("#title", Static).update(Content(title))

    @on(DataTable.RowHighlighted)
    def _explain(self) -> None:
        self.query_one("#note", Static).update(Content(printable(self._notes.get(self._under_cursor, ""))))

    @property
    def _under_cursor(self) -> str:
        """The run's id; empty where there is none."""
        table = self.query_one(RunList)
        row = table.cursor_row  # -1 after `end` in an empty table
        return str(table.ordered_rows[row].key.value) if table.is_valid_row_index(row) else ""

    @on(DataTable.RowSelected)
    def _look(self, event: DataTable.RowSelected) -> None:
        run = next((run for run in all_runs() if run.id == event.row_key.value), None)
        if run is None:
            self.cifar_app.complain("That run's folder is gone.")
            return
        self.dismiss()
        self.cifar_app.follow_run(run)

    def action_remove(self) -> None:
        """Remove the run under the cursor, once that is confirmed."""
        if self._under_cursor:
            self._look_at_removal(self._under_cursor)

    @work(thread=True, group="remove", exclusive=True, exit_on_error=False, description="look at what is removed")
    def _look_at_removal(self, run_id: str) -> None:
        try:
            run = find_run(run_id)
            require_not_living(run)
            held = len(list_checkpoints(run))
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(self.cifar_app.complain, str(failure(error)))
        else:
            self.app.call_from_thread(self._ask_for_removal, run, held)

    def _ask_for_removal(self, run: Run, held: int) -> None:
        def remove(answer: bool | None) -> None:
            if answer:
                view = self.cifar_app.run_view
                if view and view.run.id == run.id:
                    self.cifar_app.leave_run()
                self._remove(run)

        checkpoints = f" and its {held:,} checkpoint{'s' * (held != 1)}" if held else ""
        question = f"Remove {short_id(run.id)} with its curves, its log, its results{checkpoints}?"
        self.app.push_screen(ConfirmDialog(question), remove)

    @work(thread=True, group="remove", exit_on_error=False, description="remove a run")
    def _remove(self, run: Run) -> None:
        try:
            remove_run(run)
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(self.cifar_app.complain, str(failure(error)))
        else:
            self.app.call_from_thread(self._removed, run)

    def _removed(self, run: Run) -> None:
        if self.is_mounted:
            self.query_one(RunList).remove_row(run.id)
            self._explain()  # the table tells of no other line under the cursor
            self._all_read()

    def action_close(self) -> None:
        """Go back without another run."""
        self.dismiss()


def parent_of(run: Run) -> str:
    """The checkpoint that a fork goes on from, `RUN@STEP`; empty for any other run, and where that cannot be read."""
    try:
        parent = run.config().parent
    except CifartuiError:
        return ""
    return parent.name if parent else ""


def row_of(run: RunOverview, tested: KeptEvaluation | None) -> list[str]:
    """A run's cells in the table, with the kept result of its last checkpoint on the test images."""
    state = "‖ stands still" if run.stalled_seconds else f"{MARKS[run.state]} {run.state}"
    return [
        shortened(f"{state}{' !' if run.problem else ''}", STATE_CELLS),
        _short_name(run.id),
        shortened(printable(run.dataset), DATASET_CELLS),
        NOTHING if run.best_accuracy is None else f"{run.best_accuracy:.1%} ★",
        NOTHING if tested is None else f"{tested.evaluation.accuracy:.1%}",
        time.strftime("%d %b %H:%M", time.localtime(run.created)),
    ]


def _short_name(run: str) -> str:
    """A run's name without its date; of a long one the end, which no other run has, is kept."""
    name, _, tag = printable(short_id(run)).rpartition("-")
    return shortened(name, NAME_CELLS - 1 - cells(tag)) + f"-{tag}" if name else shortened(tag, NAME_CELLS)


def note_of(run: RunOverview) -> str:
    """How far a run came and what its accuracy is of, in a sentence, or what is wrong with it."""
    if run.problem:
        return run.problem
    progress = (
        f"{run.id}: recipe {run.recipe}, network {run.model}, epoch {run.epoch:,} of {run.epochs:,}, step {run.step:,}."
    )
    if run.best_accuracy is not None:
        return f"{progress} ★ {run.best_accuracy:.1%} is its best on the held-out images."
    if run.last_accuracy is not None:
        return f"{progress} {run.last_accuracy:.1%} is of the training images in its last epoch; none were held out."
    return f"{progress} No epoch is done yet."
