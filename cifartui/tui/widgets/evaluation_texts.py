"""What the evaluation screen says: accuracy, classes and confusion matrix, for any number of classes in any room."""

import textwrap
from collections import Counter
from typing import NamedTuple

from textual.content import Content

from cifartui.evaluation.results import Evaluation, most_confused
from cifartui.evaluation.store import JudgedCheckpoint
from cifartui.text import bar, cells, column, printable, shortened, size

HIGHLIGHT = 0.1
"""Share of a class from which on a mistake stands out in the confusion matrix."""
NAME_CELLS, ROOMY_NAME_CELLS = 11, 20
ROOMY = 70
"""Columns from which on names have more room."""
BAR_CELLS = 20
NUMBER_CELLS = 4
"""Of a percentage in the matrix and the gap before it, at least."""
HEADING_LINES = 3
"""Names of columns are spread over at most so many lines, so that each may be as long as so many columns are wide."""


class Window(NamedTuple):
    """A part of the classes."""

    first: int
    past: int
    """The first class that is not shown any more."""

    @property
    def classes(self) -> range:
        """The classes that are shown."""
        return range(self.first, self.past)

    @property
    def shown(self) -> int:
        """How many classes are shown."""
        return self.past - self.first


def window(first: int, room: int, classes: int) -> Window:
    """The part of `classes` that fits in `room`, from `first` on, or from further up where it would end before."""
    fitting = max(1, min(room, classes))
    start = max(0, min(first, classes - fitting))
    return Window(start, start + fitting)


def overall(evaluation: Evaluation) -> Content:
    """Accuracy, counts and interval, what the interval means, and which weights answered if there are two."""
    low, high = evaluation.interval95
    averaged = " · average of the weights" if evaluation.averaged else ""
    return Content.assemble(
        (f"{evaluation.accuracy:.1%}", "bold $primary"),
        f"   {evaluation.correct:,} of {evaluation.images:,}   (95 %: {low:.1%} – {high:.1%})",
        (f"\n95 of 100 intervals made this way hold the truth{averaged}", "$text-muted"),
    )


def checkpoint_text(checkpoint: JudgedCheckpoint) -> str:
    """What a checkpoint is, in a line: `end of epoch 3 · 61.0% held out · 503 kB`."""
    facts = checkpoint.facts
    causes = {"epoch": f"end of epoch {facts.epoch:,}", "stopped": "the run was stopped"}
    parts = [causes.get(facts.cause, f"{printable(facts.cause, 20)}, in epoch {facts.epoch:,}")]
    if facts.validation_accuracy is not None:
        parts.append(f"{facts.validation_accuracy:.1%} held out")
    return " · ".join([*parts, size(facts.bytes)])


def classes_text(evaluation: Evaluation, shown: Window, width: int) -> Content:
    """Accuracy per class as bars, with the class that is most often answered instead."""
    names = _names(evaluation)
    name_cells = _name_cells(names, width)
    bar_cells = min(BAR_CELLS, width - 2 * name_cells - 16)
    titles = f"{column('class', name_cells)} {column('accuracy', bar_cells + 7)}   often taken for"
    lines = [Content.styled(shortened(titles, width), "$text-muted")]
    labels = short_names(names, name_cells)
    for index in shown.classes:
        accuracy, confused = evaluation.per_class[index].accuracy, most_confused(evaluation, index)
        taken_for = f"   {column(labels[confused[0]], name_cells)} {confused[1]:>4.0%}" if confused else ""
        lines.append(
            Content.assemble(
                f"{column(labels[index], name_cells)} ",
                (bar(accuracy, bar_cells), "$primary on $panel"),
                f" {accuracy:>6.1%}",
                (taken_for, "$text-muted"),
            )
        )
    return Content("\n").join(lines)


class MatrixLayout(NamedTuple):
    """How a confusion matrix lies in its room."""

    name_cells: int
    cells: int
    """Of a column."""
    columns: Window
    heading_lines: int


def matrix_layout(evaluation: Evaluation, left: int, width: int) -> MatrixLayout:
    """Lay the matrix out in `width` columns, from class `left` on: wide columns where there is room for them."""
    names = _names(evaluation)
    name_cells, longest = _name_cells(names, width), max(map(cells, names))
    room = width - name_cells
    wide = max(NUMBER_CELLS, min(room // len(names), longest + 1))
    lines = min(HEADING_LINES, -(-(longest + 1) // wide), 1 + name_cells // wide)
    return MatrixLayout(name_cells, wide, window(left, room // wide, len(names)), lines)


def confusion_text(evaluation: Evaluation, rows: Window, layout: MatrixLayout) -> Content:
    """The confusion matrix in percent of the true class, its diagonal in bold, and the rule of what stands out."""
    names = _names(evaluation)
    lines = [Content.styled("rows: true · columns: predicted · % of the row", "$text-muted")]
    lines += [Content(line) for line in _heading(names, layout)]
    labels = short_names(names, layout.name_cells - 1)
    for index in rows.classes:
        row = evaluation.confusion[index]
        images = sum(row)
        parts = [
            (percent(row[other], images).rjust(layout.cells), _style(row[other], images, is_right=other == index))
            for other in layout.columns.classes
        ]
        lines.append(Content.assemble(column(labels[index], layout.name_cells), *parts))
    lines.append(
        Content.assemble(("highlighted", "$warning"), (f": {HIGHLIGHT:.0%} of a class or more", "$text-muted"))
    )
    return Content("\n").join(lines)


def matrix_lines(layout: MatrixLayout) -> int:
    """Lines of the matrix besides its rows."""
    return 2 + layout.heading_lines


def more_text(rows: Window, columns: Window | None, classes: int) -> Content:
    """Which part of the classes is in view; empty where all are."""
    parts = [("classes", rows), *([("columns", columns)] if columns else [])]
    said = [f"{what} {part.first + 1}–{part.past}" for what, part in parts if part.shown < classes]
    return Content.styled(f"{', '.join(said)} of {classes}", "$text-muted") if said else Content()


def wrapped(text: str, width: int, style: str = "") -> list[Content]:
    """A sentence in lines of at most `width` cells."""
    return [Content.styled(line, style) for line in textwrap.wrap(printable(text), max(8, width))]


def percent(count: int, images: int) -> str:
    """A share in percent: `·` for none, `–` where there are no images."""
    if not images:
        return "–"
    return f"{100 * count / images:.0f}" if count else "·"


def short_names(names: list[str], width: int) -> list[str]:
    """The names in at most `width` cells, cut with `…`; those that would look alike are cut in their middle."""
    short = [shortened(name, width) for name in names]
    alike = _repeated(short)
    short = [_both_ends(name, width) if cut in alike else cut for name, cut in zip(names, short, strict=True)]
    alike = _repeated(short)
    return [
        f"{shortened(name, width - len(str(number)))}{number}" if cut in alike else cut
        for number, (name, cut) in enumerate(zip(names, short, strict=True), start=1)
    ]


def _repeated(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _both_ends(name: str, width: int) -> str:
    end = ""
    for character in reversed(name):
        if cells(character + end) > width // 2:
            break
        end = character + end
    return shortened(name, width - cells(end)) + end


def _names(evaluation: Evaluation) -> list[str]:
    return [printable(result.name, 200) for result in evaluation.per_class]


def _name_cells(names: list[str], width: int) -> int:
    return min(max(map(cells, names)) + 1, ROOMY_NAME_CELLS if width >= ROOMY else NAME_CELLS)


def _heading(names: list[str], layout: MatrixLayout) -> list[str]:
    """The columns' names, each ending above its numbers; neighbours in turn on another line."""
    deep = layout.heading_lines
    labels = short_names(names, deep * layout.cells - 1)
    lines = []
    for line in range(deep):
        start = layout.name_cells + (line + 1 - deep) * layout.cells
        own = [labels[other] for other in layout.columns.classes[line::deep]]
        lines.append(" " * start + "".join(" " * (deep * layout.cells - cells(label)) + label for label in own))
    return lines


def _style(count: int, images: int, *, is_right: bool) -> str:
    if is_right:
        return "bold $primary"
    return "$warning" if images and count / images >= HIGHLIGHT else "$text-muted"
