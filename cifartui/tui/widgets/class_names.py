"""Names of classes in the room there is, and which of many classes are in view."""

from collections import Counter
from typing import NamedTuple

from textual.content import Content

from cifartui.evaluation.results import Evaluation
from cifartui.text import cells, column, printable, shortened
from cifartui.tui.theme import class_variable

NAME_CELLS, ROOMY_NAME_CELLS = 10, 20
ROOMY = 100
"""Columns from which on names have more room."""
MARK = "■"
"""Before a class's name, in its colour."""


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


def more_text(rows: Window, columns: Window | None, classes: int) -> Content:
    """Which part of the classes is in view; empty where all are."""
    parts = [("classes", rows), *([("columns", columns)] if columns else [])]
    said = [f"{what} {part.first + 1}–{part.past}" for what, part in parts if part.shown < classes]
    return Content.styled(f"{', '.join(said)} of {classes}", "$text-muted") if said else Content()


def names_of(evaluation: Evaluation) -> list[str]:
    """The names of the classes, fit to be shown."""
    return [printable(result.name, 200) for result in evaluation.per_class]


def name_cells(names: list[str], width: int) -> int:
    """The cells that names take in a table of `width` cells."""
    return min(max(map(cells, names)), ROOMY_NAME_CELLS if width >= ROOMY else NAME_CELLS)


def marked_name(evaluation: Evaluation, index: int, label: str, width: int) -> Content:
    """A class's mark in its colour, and its name in `width` cells."""
    variable = class_variable(evaluation.per_class[index].name, index)
    return Content.assemble((MARK, f"${variable}"), f" {column(label, width)}")


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
