"""The table of runs: a line for each, in the order and with the filter that were chosen."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from cifartui.evaluation.comparison import NOTHING, ComparedRun
from cifartui.text import clock, column, printable, shortened, size
from cifartui.tui.theme import colour
from cifartui.tui.view import MARKS, short_id
from cifartui.tui.widgets.comparison_chart import COLOURS, LETTERS

NEWEST = "newest"
"""The order in which runs come."""


class Column(NamedTuple):
    """A column: its label, its cells with the gap to the next, and by what it is sorted."""

    label: str
    width: int
    sorted_by: Callable[[ComparedRun], Any]
    descends: bool = False
    """Whether the highest stands first."""
    is_number: bool = False


COLUMNS = (
    Column("", 2, lambda run: 0),
    Column("state", 14, lambda run: run.state),
    Column("run", 11, lambda run: (run.title == "", run.title.casefold(), run.id)),
    Column("recipe", 10, lambda run: run.recipe),
    Column("network", 10, lambda run: run.model),
    Column("best", 8, lambda run: -1.0 if run.best_accuracy is None else run.best_accuracy, True, True),
    Column("test", 7, lambda run: -1.0 if run.test_accuracy is None else run.test_accuracy, True, True),
    Column("time", 8, lambda run: run.seconds, True, True),
    Column("size", 8, lambda run: run.bytes, True, True),
)
"""They fit a terminal of 80 columns; what a wider one has more, the run's title gets."""
ORDERS = (NEWEST, *(column.label for column in COLUMNS if column.label))
PADDING_CELLS = 2
"""Beside the columns: a blank at the left, and the scrollbar."""
CELLS = sum(column.width for column in COLUMNS)


class RunList(DataTable[Text]):
    """A line for each run; says on the line of keys what can be done with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "look",
            tooltip="Show the run under the cursor on the training screen",
            id="runs.look",
        ),
        Binding(
            "space",
            "screen.mark",
            "mark",
            tooltip="Mark the run under the cursor to compare it with others, or take the mark away",
            id="runs.mark",
        ),
        Binding(
            "c",
            "screen.compare",
            "compare",
            tooltip="Show the curves of the marked runs in one chart, and the settings in which they differ",
            id="runs.compare",
        ),
        Binding("s", "screen.sort", "sort", tooltip="Sort by the next column", id="runs.sort"),
        Binding("S", "screen.reverse", "reverse", tooltip="Turn the order round", show=False, id="runs.reverse"),
        Binding(
            "slash",
            "screen.filter",
            "filter",
            tooltip="Show only runs with some words in title, id, state, recipe, network or data set",
            id="runs.filter",
            key_display="/",
        ),
        Binding("v", "screen.rename", "name", tooltip="Give the run under the cursor a title", id="runs.rename"),
        Binding(
            "delete",
            "screen.remove",
            "remove",
            tooltip="Remove the run under the cursor with all that it saved; you are asked first",
            id="runs.remove",
        ),
        Binding("home", "row(0)", "first", tooltip="Go to the first run", show=False, id="runs.newest"),
        Binding("end", "row(-1)", "last", tooltip="Go to the last run", show=False, id="runs.oldest"),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", cell_padding=0)
        self._rows: dict[str, list[Text]] = {}
        """The cells shown, by the ids of their runs."""
        self._drawn_as = ("", 0)
        """The order that is marked, and the cells more than on 80 columns."""

    @property
    def under_cursor(self) -> str:
        """The run's id; empty where there is none."""
        rows = self.ordered_rows
        return str(rows[self.cursor_row].key.value) if 0 <= self.cursor_row < len(rows) else ""

    def show(
        self,
        runs: Iterable[ComparedRun],
        letters: Mapping[str, str],
        order: str,
        styles: Callable[[ComparedRun], tuple[str, str]],
    ) -> None:
        """Show these runs in their order; the cursor stays on its run.

        `letters` are those of the marked ones, by id; `styles` are those of a run's cells and of cells with nothing.
        """
        room = max(0, self.outer_size.width - PADDING_CELLS - CELLS)
        inks = {
            letter: Style(color=colour(self.app, variable).rich_color, bold=True)
            for letter, variable in zip(LETTERS, COLOURS, strict=True)
        }
        rows = {}
        for run in runs:
            rows[run.id] = _cells(run, letters.get(run.id, ""), room, *styles(run))
            if run.id in letters:
                rows[run.id][0].stylize(inks[letters[run.id]])
        before, under_cursor, drawn_as = self._rows, self.under_cursor, (order, room)
        self._rows = rows
        with self.app.batch_update():
            if list(rows) == list(before) and drawn_as == self._drawn_as:  # what a person scrolled to stays
                for run_id, cells in rows.items():
                    for each, cell, former in zip(COLUMNS, cells, before[run_id], strict=True):
                        if cell != former:
                            self.update_cell(run_id, each.label, cell)
                return
            self._drawn_as = drawn_as
            self.clear(columns=True)
            for each in COLUMNS:
                label = f"{each.label} ▾" if each.label == order else each.label
                width = each.width + room * (each.label == "run")
                self.add_column(
                    Text(f"{label:>{width - 1}} " if each.is_number else label), width=width, key=each.label
                )
            for run_id, cells in rows.items():
                self.add_row(*cells, key=run_id)
            if under_cursor in rows:
                self.move_cursor(row=list(rows).index(under_cursor))

    def action_row(self, row: int) -> None:
        """Go to the first or the last row."""
        self.move_cursor(row=row % max(1, self.row_count))


def _cells(run: ComparedRun, letter: str, room: int, style: str, empty: str) -> list[Text]:
    return [Text(cell, style=empty if cell.strip() == NOTHING else style) for cell in row_of(run, letter, room)]


def row_of(run: ComparedRun, letter: str = "", room: int = 0) -> list[str]:
    """A run's cells, with so many more for its name."""
    state = "‖ stands still" if run.stalled_seconds else f"{'!' if run.problem else MARKS[run.state]} {run.state}"
    name = f"{run.id.rpartition('-')[2]} {run.title}"
    texts = (
        letter,
        state,
        name,
        run.recipe,
        run.model,
        NOTHING if run.best_accuracy is None else f"{run.best_accuracy:.1%} ★",
        NOTHING if run.test_accuracy is None else f"{run.test_accuracy:.1%}",
        clock(run.seconds),
        size(run.bytes),
    )
    cells = []
    for each, text in zip(COLUMNS, texts, strict=True):
        width = each.width - 1 + room * (each.label == "run")
        shown = shortened(printable(text), width)
        cells.append(f"{shown:>{width}}" if each.is_number else column(shown, width))
    return cells


def in_order(runs: Sequence[ComparedRun], order: str, *, is_reversed: bool) -> list[ComparedRun]:
    """Runs, given the newest first, by a column; of equals the newest first."""
    chosen = next((each for each in COLUMNS if each.label and each.label == order), None)
    if chosen is None:
        return list(reversed(runs)) if is_reversed else list(runs)
    return sorted(runs, key=chosen.sorted_by, reverse=chosen.descends != is_reversed)


def matching(runs: Iterable[ComparedRun], words: str) -> list[ComparedRun]:
    """The runs that have each of these words in what is said of them."""
    wanted = words.casefold().split()
    return [
        run
        for run in runs
        if all(
            word in f"{run.id} {run.title} {run.state} {run.recipe} {run.model} {run.dataset}".casefold()
            for word in wanted
        )
    ]


def letters_of(marked: Sequence[str]) -> dict[str, str]:
    """The letters of the marked runs, by id, in the order in which they were marked."""
    return dict(zip(marked, LETTERS, strict=False))


def note_of(run: ComparedRun) -> str:
    """What a run is, how far it came and what its accuracy is of, or what is wrong with it."""
    if run.problem:
        return run.problem
    started = time.strftime("%d %b %H:%M", time.localtime(run.created))
    called = f" ({run.title})" if run.title else ""
    parts = [
        f"{run.id}{called}: recipe {run.recipe}, network {run.model} on {run.dataset}, begun {started}, "
        f"epoch {run.epoch:,} of {run.epochs:,}, step {run.step:,}."
    ]
    if run.best_accuracy is not None:
        parts.append(f"★ {run.best_accuracy:.1%} is its best on the held-out images.")
    elif run.last_accuracy is not None:
        parts.append(f"{run.last_accuracy:.1%} is of the training images in its last epoch; none were held out.")
    else:
        parts.append("No epoch is done yet.")
    if run.parent:
        parts.append(f"It goes on from {short_id(run.parent)}.")
    return " ".join(parts)
