"""What is said of several runs side by side."""

from collections.abc import Sequence

from textual.content import Content

from cifartui.evaluation.comparison import NOTHING, RunBeside, differences
from cifartui.text import cells, clock, column, printable, shortened, size
from cifartui.tui.view import short_id
from cifartui.tui.widgets.comparison_chart import COLOURS, LETTERS

KEY_CELLS = 26
"""Of the names of settings, at most."""
LEAST_CELLS = 8
"""Of a value."""
GAP, LEGEND_GAP = 2, 3
BEST = " ★"


def legend(runs: Sequence[RunBeside], width: int) -> Content:
    """The letters of the runs, in their colours, with what they are called, in lines of so many cells."""
    lines: list[list[Content]] = [[]]
    for place, run in enumerate(runs):
        name = shortened(name_of(run), width - 2)
        part = Content.assemble((LETTERS[place], f"bold ${COLOURS[place]}"), f" {name}")
        if lines[-1] and sum(each.cell_length + LEGEND_GAP for each in lines[-1]) + part.cell_length > width:
            lines.append([])
        lines[-1].append(part)
    return Content("\n").join(Content(" " * LEGEND_GAP).join(line) for line in lines)


def name_of(run: RunBeside) -> str:
    """A run's last part of its id, and its title if it has one; else its id without the date."""
    results = run.results
    name = f"{results.id.rpartition('-')[2]} {results.title}" if results.title else short_id(results.id)
    return printable(name)


def side_by_side(runs: Sequence[RunBeside], width: int) -> Content:
    """What runs came to, and the settings in which they differ: a row for each, in so many cells."""
    if not runs:
        return Content("")
    differing = [(row.key, row.values) for row in differences(runs)]
    results = _results(runs)
    rows = [*results, *differing]
    keys = min(KEY_CELLS, max(cells(key) for key, _ in rows)) + GAP
    widest = max(cells(value) for _, values in rows for value in values) + GAP
    each = max(LEAST_CELLS, min(widest, (width - keys) // len(runs)))
    lines = [
        Content.assemble(
            " " * keys,
            *((column(LETTERS[place], each), f"bold ${COLOURS[place]}") for place in range(len(runs))),
        )
    ]
    lines += [_line(key, values, keys, each) for key, values in results]
    if differing:
        lines += [Content(""), Content.styled("settings that differ", "bold $primary")]
        lines += [_line(key, values, keys, each) for key, values in differing]
    elif len(runs) > 1:
        lines += [Content(""), Content("Their settings are the same.")]
    return Content("\n").join(lines)


def _line(key: str, values: Sequence[str], keys: int, each: int) -> Content:
    shown = (column(shortened(printable(value), each - 1), each) for value in values)
    return Content.assemble((column(shortened(printable(key), keys - 1), keys), "$text-muted"), *shown)


def _results(runs: Sequence[RunBeside]) -> list[tuple[str, tuple[str, ...]]]:
    results = [run.results for run in runs]
    return [
        ("state", tuple(result.state for result in results)),
        ("held-out, best", _shares([result.best_accuracy for result in results])),
        ("test, last", _shares([result.test_accuracy for result in results])),
        ("training, last epoch", tuple(_share(result.last_accuracy) for result in results)),
        ("loss, last epoch", tuple(NOTHING if result.loss is None else f"{result.loss:.3f}" for result in results)),
        ("time", tuple(clock(result.seconds) for result in results)),
        ("size", tuple(size(result.bytes) for result in results)),
    ]


def _shares(values: Sequence[float | None]) -> tuple[str, ...]:
    """In per cent, the highest marked."""
    best = max((value for value in values if value is not None), default=None)
    return tuple(_share(value) + BEST * (value is not None and value == best and len(values) > 1) for value in values)


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"
