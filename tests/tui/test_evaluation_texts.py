"""The tables of the evaluation screen: any number of classes, names of any length, in the room there is."""

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.style import Style

from cifartui.evaluation.results import Evaluation, from_confusion, precision
from cifartui.text import cells
from cifartui.tui.theme import themes, wear
from cifartui.tui.widgets.class_bars import ClassBars
from cifartui.tui.widgets.class_names import more_text, short_names, window
from cifartui.tui.widgets.confusion_map import ConfusionMap, matrix_layout
from cifartui.tui.widgets.evaluation_texts import cell_text, mistaken_text, most_mistaken, overall
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


class ResultApp(App[None]):
    """Bars and matrix of a result, alone on a screen."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__()
        self.evaluation = evaluation
        wear(self, None)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The names of our colours."""
        return themes(None)[0].variables

    def compose(self) -> ComposeResult:
        yield ClassBars()
        yield ConfusionMap()

    def on_mount(self) -> None:
        for table in (self.query_one(ClassBars), self.query_one(ConfusionMap)):
            table.styles.height = 13
            table.show(self.evaluation)

    def lines(self, table: type[ClassBars | ConfusionMap]) -> list[str]:
        """What is drawn, and nothing else."""
        content = self.query_one(table).render()
        assert isinstance(content, Content)
        return content.plain.splitlines()


@pytest.mark.parametrize("count", [2, 10, 12, 13, 100])
async def test_tables_stay_in_their_room(count: int) -> None:
    """Whatever the names and the width, no line is longer than the room, nor are there more of them."""
    for names in (CLASSES, ["golden retriever puppy", "猫と犬の写真を集めたもの", "x"]):
        evaluation = judged(*(f"{names[index % len(names)]}{index // len(names) or ''}" for index in range(count)))
        app = ResultApp(evaluation)
        async with app.run_test() as pilot:
            for width in (NARROW, WIDE):
                await pilot.resize_terminal(width, 30)
                for lines in (app.lines(ClassBars), app.lines(ConfusionMap)):
                    assert len(lines) <= 13
                    assert max(map(cells, lines)) <= width
        texts = [overall(evaluation).plain, mistaken_text(evaluation, 5, NARROW).plain]
        assert max(cells(line) for text in texts for line in text.splitlines()) <= NARROW


async def test_ten_classes_fit_80_columns_with_their_whole_names() -> None:
    """All ten columns are there, and each name ends above its numbers."""
    evaluation = judged(*CLASSES)
    layout = matrix_layout(evaluation, 0, 78)
    assert len(layout.columns.classes) == 10
    app = ResultApp(evaluation)
    async with app.run_test(size=(78, 30)):
        lines = app.lines(ConfusionMap)
    heading, rows = lines[: layout.heading_lines], lines[layout.heading_lines :]
    for index, name in enumerate(CLASSES):
        end = layout.name_cells + (index + 1) * layout.cells - 1
        assert any(line[:end].endswith(f" {name}") for line in heading)
        assert rows[index].startswith(f"■ {name}")
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


async def test_shades_and_marks_follow_one_rule() -> None:
    """A share of a class has one shade, however many images the class has; without shades, 10 % or more stand out."""
    confusion = [[80, 12, 8], [24, 160, 16], [0, 0, 0]]
    app = ResultApp(from_confusion(confusion, ["a", "b", "c"], checkpoint="c", dataset="d", seconds=0.0))
    async with app.run_test(size=(40, 30)) as pilot:
        shown = app.query_one(ConfusionMap).render()
        assert isinstance(shown, Content)
        looks = {
            shown.plain[span.start : span.end].strip(): span.style.background
            for span in shown.spans
            if isinstance(span.style, Style) and not span.style.underline
        }
        assert looks["80"] == looks["160"] != looks["8"] == looks["16"] != looks["24"]
        app.theme = "ansi-dark"
        await pilot.pause()
        marked = app.query_one(ConfusionMap).render()
        assert isinstance(marked, Content)
        bold = [marked.plain[span.start : span.end].strip() for span in marked.spans if getattr(span.style, "bold", 0)]
        assert bold == ["80", "12", "24", "160", "–"]
    assert shown.plain.split()[-4:] == ["c", "–", "–", "–"]


def test_the_largest_share_of_a_class_comes_first() -> None:
    """However few images the class has; a network without mistakes has none."""
    confusion = [[900, 100, 0], [0, 8, 2], [0, 0, 5]]
    evaluation = from_confusion(confusion, ["a", "b", "c"], checkpoint="c", dataset="d", seconds=0.0)
    assert [(pair.true, pair.answered, pair.images) for pair in most_mistaken(evaluation, 5)] == [
        (1, 2, 2),
        (0, 1, 100),
    ]
    assert precision(evaluation, 1) == 8 / 108
    assert "known as a: 900 of 1,000 (90.0%)" in cell_text(evaluation, 0, 0)
    whole = from_confusion([[5, 0], [0, 5]], ["a", "b"], checkpoint="c", dataset="d", seconds=0.0)
    assert mistaken_text(whole, 5, 30).plain == "no mistakes"


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
