"""All runs: looked at, sorted, filtered, named, removed, and marked to be compared."""

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import DataTable, Input, Static
from textual.worker import get_current_worker

from cifartui.errors import CifartuiError
from cifartui.evaluation.comparison import ComparedRun, read_beside
from cifartui.failures import failure
from cifartui.text import printable
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.folder import Run, all_runs, check_title, find_run
from cifartui.training.run.keeping import remove_run, require_not_living
from cifartui.training.run.states import LIVING
from cifartui.tui.screens.comparison import REFRESH_SECONDS, ComparingScreen, ComparisonScreen
from cifartui.tui.view import short_id
from cifartui.tui.widgets.comparison_chart import LETTERS
from cifartui.tui.widgets.comparison_panel import ComparisonPanel
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.run_list import NEWEST, ORDERS, RunList, in_order, letters_of, matching, note_of

BESIDE_COLUMNS = 150
"""From so many columns on, the comparison stands beside the list."""
BATCH_SECONDS = 0.2
"""Between two times that runs which were read are shown."""


class RunsScreen(ComparingScreen):
    """A line for each run; closes when one is brought into view."""

    LESSON = "screen.runs"
    CSS_PATH = "runs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,o,q", "close", "back", tooltip="Back to the training screen", id="runs.close", key_display="esc"
        )
    ]

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, ComparedRun] = {}
        """By their ids."""
        self._newest: list[str] = []
        """The ids of all runs there are, the newest first."""
        self._marked: list[str] = []
        self._order, self._is_reversed, self._words = NEWEST, False, ""
        self._is_read = False
        self._was_in_view = False
        """Whether the cursor was put on the run in view."""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="words that a run must have: adam finished resnet", id="filter")
        with Horizontal(id="body"):
            with Panel("reading the runs …", id="list"):
                yield RunList()
            yield ComparisonPanel(
                "space marks a run: its curves stand here, with those of the others that are marked, and below them "
                "the settings in which they differ",
                widget_id="beside",
            )
        yield Panel("under the cursor", Static(id="note"), classes="-bare")

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.query_one(RunList).focus()
        self.call_after_refresh(self._read)  # the first run may be read before the screen is mounted
        self.set_interval(REFRESH_SECONDS, self._look_again)

    def on_resize(self) -> None:
        self.query_one(ComparisonPanel).display = self.size.width >= BESIDE_COLUMNS
        self.call_after_refresh(self._draw)
        self.call_after_refresh(self._compare_marked)

    # READING

    def _look_again(self) -> None:
        if self._is_read:
            self._read()

    @work(thread=True, group="read runs", exclusive=True, exit_on_error=False, description="read the runs")
    def _read(self) -> None:
        worker, runs = get_current_worker(), all_runs()
        ids, batch, due = [run.id for run in runs], [], time.monotonic() + BATCH_SECONDS
        for run in runs:
            if worker.is_cancelled:
                return
            known = self._runs.get(run.id)
            if known and known.state not in LIVING and not run.is_carried():
                continue
            try:
                batch.append(read_beside(run).results)
            except OSError:
                continue  # it was removed meanwhile
            if time.monotonic() > due:
                self.app.call_from_thread(self._add, ids, batch)
                batch, due = [], time.monotonic() + BATCH_SECONDS
        self.app.call_from_thread(self._add, ids, batch, is_all=True)

    def _add(self, newest: list[str], read: Sequence[ComparedRun], *, is_all: bool = False) -> None:
        if not self.is_mounted:
            return
        changed = newest != self._newest or any(run != self._runs.get(run.id) for run in read)
        self._newest, self._is_read = newest, self._is_read or is_all
        self._runs |= {run.id: run for run in read}
        if changed:
            self._draw()
        else:
            self._draw_title()
        view = self.cifar_app.run_view
        if view and not self._was_in_view and view.run.id in self._runs:
            self._was_in_view = True
            self._go_to(view.run.id)

    # DRAWING

    def _shown(self) -> list[ComparedRun]:
        """The runs that the filter leaves, in order."""
        runs = [self._runs[run_id] for run_id in self._newest if run_id in self._runs]
        return in_order(matching(runs, self._words), self._order, is_reversed=self._is_reversed)

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        view, muted = self.cifar_app.run_view, self.app.theme_variables["text-muted"]

        def styles(run: ComparedRun) -> tuple[str, str]:
            return "bold" if view is not None and view.run.id == run.id else "", muted

        self.query_one(RunList).show(self._shown(), letters_of(self._marked), self._order, styles)
        self._draw_title()
        self._explain()

    def _draw_title(self) -> None:
        count = sum(run_id in self._runs for run_id in self._newest)
        if not self._is_read:
            title = f"reading the runs … {count:,}"
        elif not count:
            title = "no runs yet · esc, then enter on the training screen"
        else:
            order = "newest first" if self._order == NEWEST else f"by {self._order}"
            parts = [f"{count:,} run{'s' * (count != 1)}", order + ", reversed" * self._is_reversed]
            parts += [f"{len(self._shown()):,} with {self._words!r}"] if self._words else []
            parts += [f"{len(self._marked)} marked"] if self._marked else []
            title = " · ".join(parts)
        self.query_one("#list", Panel).entitle(title)

    @on(DataTable.RowHighlighted)
    def _explain(self) -> None:
        run = self._runs.get(self.query_one(RunList).under_cursor)
        self.query_one("#note", Static).update(Content(printable(note_of(run)) if run else ""))

    def _go_to(self, run_id: str) -> None:
        ids = [run.id for run in self._shown()]
        if run_id in ids:
            self.query_one(RunList).move_cursor(row=ids.index(run_id))

    # ORDER AND FILTER

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._order, self._is_reversed = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)], False
        self._draw()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._is_reversed = not self._is_reversed
        self._draw()

    @on(DataTable.HeaderSelected)
    def _sort_by(self, event: DataTable.HeaderSelected) -> None:
        order = str(event.column_key.value)
        if order == self._order:
            self.action_reverse()
        elif order in ORDERS:
            self._order, self._is_reversed = order, False
            self._draw()

    def action_filter(self) -> None:
        """Ask for the words that runs must have."""
        words = self.query_one("#filter", Input)
        words.display = True
        words.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._words = event.value
        self._draw()

    @on(Input.Submitted, "#filter")
    def _leave_filter(self) -> None:
        self.query_one("#filter").display = bool(self._words)
        self.query_one(RunList).focus()

    # ONE RUN

    @on(DataTable.RowSelected)
    def _look(self, event: DataTable.RowSelected) -> None:
        run = next((run for run in all_runs() if run.id == event.row_key.value), None)
        if run is None:
            self.cifar_app.complain("That run's folder is gone.")
            return
        self.dismiss()
        self.cifar_app.follow_run(run)

    def action_rename(self) -> None:
        """Ask for the title of the run under the cursor."""
        run = self._runs.get(self.query_one(RunList).under_cursor)
        if run is None:
            return

        def rename(title: str | None) -> None:
            if title is not None:
                self._rename(run.id, title)

        question = f"What shall {short_id(run.id)} be called? Its id stays; an empty line takes its title away."
        self.app.push_screen(TextDialog(question, run.title, check_title), rename)

    @work(thread=True, group="rename", exit_on_error=False, description="rename a run")
    def _rename(self, run_id: str, title: str) -> None:
        run = find_run(run_id)
        run.rename(title)
        self.app.call_from_thread(self._renamed, read_beside(run).results)

    def _renamed(self, run: ComparedRun) -> None:
        self._runs[run.id] = run
        self._beside.pop(run.id, None)
        self._draw()
        self._compare_marked()

    def action_remove(self) -> None:
        """Remove the run under the cursor, once that is confirmed."""
        if run_id := self.query_one(RunList).under_cursor:
            self._look_at_removal(run_id)

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
            self._newest = [run_id for run_id in self._newest if run_id != run.id]
            self._marked = [run_id for run_id in self._marked if run_id != run.id]
            self._draw()
            self._compare_marked()

    # SEVERAL RUNS

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away."""
        run_id = self.query_one(RunList).under_cursor
        if run_id in self._marked:
            self._marked.remove(run_id)
        elif len(self._marked) == len(LETTERS):
            self.cifar_app.complain(
                f"{len(LETTERS)} runs are marked, more curves cannot be told apart; take a mark away first."
            )
        elif run_id:
            self._marked.append(run_id)
        self._draw()
        self._compare_marked()

    def _compare_marked(self) -> None:
        self.refresh_bindings()
        if self.query_one(ComparisonPanel).display:
            self.compare(self._marked_runs())

    def _marked_runs(self) -> list[Run]:
        there = {run.id: run for run in all_runs()}
        return [there[run_id] for run_id in self._marked if run_id in there]

    def action_compare(self) -> None:
        """Show the marked runs on a screen of their own."""
        runs = self._marked_runs()
        if len(runs) < 2:
            self.cifar_app.complain("A comparison is between two runs or more; mark them with the space bar first.")
            return
        self.app.push_screen(ComparisonScreen(runs))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of charts that are not there are hidden."""
        if action in ("turn_axis", "turn_quantity") and self.is_mounted:
            return self.query_one(ComparisonPanel).display and bool(self._marked)
        return True

    def action_close(self) -> None:
        """Leave the filter, or go back without another run."""
        words = self.query_one("#filter", Input)
        if words.has_focus or self._words:
            words.value = ""
            self._words = ""
            self._leave_filter()
        else:
            self.dismiss()
