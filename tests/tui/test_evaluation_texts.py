"""The tables of the evaluation screen: any number of classes, names of any length, in the room there is."""

import pytest

from cifartui.evaluation.results import Evaluation, from_confusion
from cifartui.text import cells
from cifartui.tui.widgets.evaluation_texts import (
    classes_text,
    confusion_text,
    matrix_layout,
    matrix_lines,
    more_text,
    overall,
    short_names,
    window,
)
from tests.conftest import CLASSES

NARROW, WIDE = 51, 131
"""Columns for the result at 80 and at 160 columns."""


def judged(*classes: str) -> Evaluation:
    """Of each class a hundred images: 80 are known, 12 are taken for the next class, 8 for the one after it."""
    count = len(classes)
    confusion = [[0] * count for _ in classes]
    for index in range(count):
        for step, images in enumerate((80, 12, 8)):
            confusion[index][(index + step) % count] += images
    return from_confusion(confusion, classes, checkpoint="c", dataset="d", seconds=0.0)


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("count", [2, 10, 12, 13, 100])
def test_tables_stay_in_their_room(width: int, count: int) -> None:
    """Whatever the names, no line is longer than the room, and the matrix has as many as it says."""
    for names in (CLASSES, ["golden retriever puppy", "猫と犬の写真を集めたもの", "x"]):
        evaluation = judged(*(f"{names[index % len(names)]}{index // len(names) or ''}" for index in range(count)))
        rows, layout = window(0, 9, count), matrix_layout(evaluation, 0, width)
        matrix = confusion_text(evaluation, rows, layout).plain.splitlines()
        assert len(matrix) == matrix_lines(layout) + len(rows.classes)
        tables = [overall(evaluation).plain, classes_text(evaluation, rows, width).plain, *matrix]
        tables.append(more_text(rows, layout.columns, count).plain)
        assert max(cells(line) for text in tables for line in text.splitlines()) <= width


def test_ten_classes_fit_80_columns_with_their_whole_names() -> None:
    """All ten columns are there beside the list, and each name ends above its numbers."""
    evaluation = judged(*CLASSES)
    layout = matrix_layout(evaluation, 0, NARROW)
    assert len(layout.columns.classes) == 10
    lines = confusion_text(evaluation, window(0, 10, 10), layout).plain.splitlines()
    heading, rows = lines[1 : 1 + layout.heading_lines], lines[1 + layout.heading_lines : -1]
    for index, name in enumerate(CLASSES):
        end = layout.name_cells + (index + 1) * layout.cells
        assert any(line[:end].endswith(f" {name}") for line in heading)
        assert rows[index].startswith(name)
        assert rows[index][end - 3 : end] == " 80"
    assert "…" not in "".join(lines)


def test_windows_go_through_all_classes_and_stop_at_the_last() -> None:
    """Neighbouring windows miss none; the last one ends with the last class."""
    seen, first = set[int](), 0
    for _ in range(10):
        shown = window(first, 14, 100)
        seen |= set(shown.classes)
        first += 14
    assert seen == set(range(100))
    assert window(999, 14, 100).past == 100
    assert window(-5, 14, 100).first == 0
    assert window(0, -3, 2) == (0, 1)


def test_one_rule_says_which_mistakes_stand_out() -> None:
    """12 % of a class stands out, 8 % does not, however many images the class has."""
    confusion = [[80, 12, 8], [24, 160, 16], [0, 0, 0]]
    evaluation = from_confusion(confusion, ["a", "b", "c"], checkpoint="c", dataset="d", seconds=0.0)
    text = confusion_text(evaluation, window(0, 3, 3), matrix_layout(evaluation, 0, NARROW))
    marked = [text.plain[span.start : span.end].strip() for span in text.spans if span.style == "$warning"]
    assert marked == ["12", "12", "highlighted"]
    assert text.plain.splitlines()[-2].split() == ["c", "–", "–", "–"]


def test_names_that_would_look_alike_are_told_apart() -> None:
    """Long names that begin alike keep their ends; those that end alike, too, are numbered; others are left alone."""
    assert short_names(["cat", "automobile"], 6) == ["cat", "autom…"]
    adult, puppy = short_names(["golden retriever adult", "golden retriever puppy"], 11)
    assert (adult, puppy) == ("golde…adult", "golde…puppy")
    same = short_names(["a" * 30 + "b" * 30, "a" * 30 + "c" + "b" * 30, "cat", "cat"], 9)
    assert len(set(same)) == 4
    assert all(cells(name) <= 9 for name in same)


def test_the_part_in_view_is_named() -> None:
    """Nothing is said where all classes are in view."""
    assert more_text(window(0, 10, 10), window(0, 10, 10), 10).plain == ""
    assert more_text(window(14, 14, 100), None, 100).plain == "classes 15–28 of 100"
    assert more_text(window(0, 9, 100), window(95, 10, 100), 100).plain == "classes 1–9, columns 91–100 of 100"
