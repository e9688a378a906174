"""The confusion matrix as a heat map, with a cursor and its cell in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from cifartui.evaluation.results import Evaluation
from cifartui.lessons.topic import Topic
from cifartui.text import cells, shortened
from cifartui.tui.theme import between, colour
from cifartui.tui.widgets.class_names import Window, marked_name, more_text, name_cells, names_of, short_names, window
from cifartui.tui.widgets.evaluation_texts import cell_text, most_mistaken

HIGHLIGHT = 0.1
"""Share of a class from which on a mistake stands out where there are too few colours for shades."""
COUNT_CELLS = 5
"""Of a count in the matrix and the gaps beside it, at least."""
HEADING_LINES = 2
"""Names of columns are spread over at most so many lines, so that each may be as long as so many columns are wide."""
DARKEST, BRIGHTEST_MISTAKE, WHOLE_MISTAKE = 0.12, 0.6, 0.4
"""How much of its colour a cell has that is almost empty, and a mistake at most, from which share of a class on."""


class MatrixLayout(NamedTuple):
    """How a confusion matrix lies in its room."""

    name_cells: int
    """Of a row's name with its mark and the gap after it."""
    cells: int
    """Of a column."""
    columns: Window
    heading_lines: int


def matrix_layout(evaluation: Evaluation, left: int, width: int) -> MatrixLayout:
    """Lay the matrix out in `width` columns, from class `left` on: wide columns where there is room for them."""
    names = names_of(evaluation)
    own, longest = name_cells(names, width) + 3, max(map(cells, names))
    room = width - own
    least = max(COUNT_CELLS, 2 + max(len(f"{count}") for row in evaluation.confusion for count in row))
    wide = max(least, min(room // len(names), longest + 1))
    lines = min(HEADING_LINES, -(-(longest + 1) // wide), 1 + own // wide)
    return MatrixLayout(own, wide, window(left, room // wide, len(names)), lines)


class ConfusionMap(Widget, can_focus=True):
    """Counts of images: a row for each true class, a column for each answer; the darker, the larger share of its row.

    A row has two lines where there is room. The cell under the cursor is told in words.
    """

    @dataclass
    class Pointed(Message):
        """Another cell is looked at, or another result."""

        words: str

    topic = Topic("evaluation.confusion")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "cell", tooltip="The class above", show=False, id="confusion.up"),
        Binding(
            "down", "move(1, 0)", "cell", tooltip="Another cell, in words", id="confusion.down", key_display="↑↓←→"
        ),
        Binding("left", "move(0, -1)", "cell", tooltip="The answer before", show=False, id="confusion.left"),
        Binding("right", "move(0, 1)", "cell", tooltip="The next answer", show=False, id="confusion.right"),
        Binding("pageup", "page(-1)", "page", tooltip="The classes before", show=False, id="confusion.pageup"),
        Binding("pagedown", "page(1)", "page", tooltip="Further classes", show=False, id="confusion.pagedown"),
        Binding("home", "ends(-1)", "first", tooltip="The first answer", show=False, id="confusion.home"),
        Binding("end", "ends(1)", "last", tooltip="The last answer", show=False, id="confusion.end"),
    ]

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._evaluation: Evaluation | None = None
        self._cursor = (0, 0)
        """True class and answer of the cell in words."""
        self._first = (0, 0)
        """The first row and column in view."""
        self.tells_words = False
        """Whether the last line is the cell's words, where nothing else says them."""

    def show(self, evaluation: Evaluation | None) -> None:
        """Draw another result; the cursor stays in its place, and begins at the most frequent mistake."""
        before, self._evaluation = self._evaluation, evaluation
        names = evaluation and names_of(evaluation)
        if evaluation and (before is None or names_of(before) != names):
            worst = next(iter(most_mistaken(evaluation, 1)), None)
            self._cursor = (worst.true, worst.answered) if worst else (0, 0)
        self._point()

    @property
    def _class_count(self) -> int:
        return len(self._evaluation.per_class) if self._evaluation else 0

    def _in_view(self, evaluation: Evaluation) -> tuple[Window, MatrixLayout]:
        """The part of the matrix that is in view, which the cursor is in."""
        row, column = self._cursor
        layout = matrix_layout(evaluation, self._first[1], self.size.width)
        room = self.size.height - layout.heading_lines - self.tells_words
        room -= self._class_count > room or layout.columns.shown < self._class_count
        rows = _around(window(self._first[0], room, self._class_count), row, self._class_count)
        layout = layout._replace(columns=_around(layout.columns, column, self._class_count))
        self._first = rows.first, layout.columns.first
        return rows, layout

    def action_move(self, rows: int, columns: int) -> None:
        """Look at another cell."""
        last = self._class_count - 1
        row, column = self._cursor
        self._cursor = max(0, min(row + rows, last)), max(0, min(column + columns, last))
        self._point()

    def action_page(self, pages: int) -> None:
        """Look at a cell further up or down by as many classes as there are in view."""
        if self._evaluation:
            self.action_move(pages * self._in_view(self._evaluation)[0].shown, 0)

    def action_ends(self, direction: int) -> None:
        """Look at the first or last cell of the row."""
        self.action_move(0, direction * self._class_count)

    def on_click(self, event: Click) -> None:
        """Look at the cell that is clicked."""
        if self._evaluation is None or (place := event.get_content_offset(self)) is None:
            return
        rows, layout = self._in_view(self._evaluation)
        row = (place.y - layout.heading_lines) // self._row_lines(rows, layout)
        column = (place.x - layout.name_cells) // layout.cells
        if 0 <= row < rows.shown and 0 <= column < layout.columns.shown:
            self._cursor = rows.first + row, layout.columns.first + column
            self._point()

    def _point(self) -> None:
        if self._evaluation:
            self.post_message(self.Pointed(cell_text(self._evaluation, *self._cursor)))
        self.refresh()

    def _row_lines(self, rows: Window, layout: MatrixLayout) -> int:
        return 2 if self.size.height >= layout.heading_lines + 2 * rows.shown + self.tells_words else 1

    def render(self) -> RenderResult:
        """The heading, the rows in view, and which of them these are."""
        if self._evaluation is None or not self.size:
            return ""
        evaluation = self._evaluation
        rows, layout = self._in_view(evaluation)
        names = names_of(evaluation)
        lines = [Content.styled(line, "$text-muted") for line in _heading(names, layout)]
        labels = short_names(names, layout.name_cells - 3)
        for index in rows.classes:
            name = marked_name(evaluation, index, labels[index], layout.name_cells - 3)
            styles = [self._style(evaluation, index, other) for other in layout.columns.classes]
            lines.append(Content.assemble(name, " ", *_cells(self._counts(evaluation, index, layout), styles)))
            if self._row_lines(rows, layout) == 2:
                shades = [style.background_style for style in styles]
                empty = [" " * layout.cells] * layout.columns.shown
                lines.append(Content.assemble(" " * layout.name_cells, *_cells(empty, shades)))
        more = more_text(rows, layout.columns, len(names))
        words = [Content(shortened(cell_text(evaluation, *self._cursor), self.size.width))] * self.tells_words
        return Content("\n").join([*lines, *([more] if more.plain else []), *words])

    @staticmethod
    def _counts(evaluation: Evaluation, index: int, layout: MatrixLayout) -> Iterable[str]:
        row, images = evaluation.confusion[index], evaluation.per_class[index].images
        for other in layout.columns.classes:
            yield f"{f'{row[other]}' if row[other] else '·' if images else '–'} ".rjust(layout.cells)

    def _style(self, evaluation: Evaluation, index: int, other: int) -> Style:
        """A cell's shade, by its share of the row; where shades cannot be mixed, mistakes that are frequent stand out.

        The cell under the cursor is reversed, or underlined without the focus.
        """
        images, is_right = evaluation.per_class[index].images, other == index
        share = evaluation.confusion[index][other] / images if images else 0.0
        has_cursor = (index, other) == self._cursor
        pointed = Style(reverse=has_cursor and self.has_focus, underline=has_cursor and not self.has_focus)
        if self.app.current_theme.ansi:
            named = "accent" if is_right else "warning" if share >= HIGHLIGHT else "foreground"
            return pointed + Style(foreground=colour(self.app, named), bold=is_right or share >= HIGHLIGHT)
        shade = self._shade(share, is_right=is_right)
        text = shade.get_contrast_text(1.0) if share else colour(self.app, "quiet")
        return pointed + Style(background=shade, foreground=text, bold=is_right)

    def _shade(self, share: float, *, is_right: bool) -> Color:
        if not share:
            return colour(self.app, "background")
        if is_right:
            return between(self.app, "background", "accent", DARKEST + (1 - DARKEST) * share)
        strength = min(1.0, share / WHOLE_MISTAKE)
        return between(self.app, "background", "error", DARKEST / 2 + (BRIGHTEST_MISTAKE - DARKEST / 2) * strength)


def _cells(texts: Iterable[str], styles: list[Style]) -> list[tuple[str, Style]]:
    return list(zip(texts, styles, strict=True))


def _around(shown: Window, index: int, classes: int) -> Window:
    """The window, moved no further than it takes for `index` to be in it."""
    if index < shown.first:
        return window(index, shown.shown, classes)
    return window(index - shown.shown + 1, shown.shown, classes) if index >= shown.past else shown


def _heading(names: list[str], layout: MatrixLayout) -> list[str]:
    """The columns' names, each ending above its numbers; neighbours in turn on another line."""
    deep = layout.heading_lines
    labels = short_names(names, deep * layout.cells - 1)
    lines = []
    for line in range(deep):
        start = layout.name_cells + (line + 1 - deep) * layout.cells - 1
        own = [labels[other] for other in layout.columns.classes[line::deep]]
        lines.append(" " * start + "".join(" " * (deep * layout.cells - cells(label)) + label for label in own))
    return lines
