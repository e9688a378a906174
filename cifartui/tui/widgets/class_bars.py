"""How many images of each class are known, as bars."""

from typing import ClassVar

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from cifartui.evaluation.results import Evaluation, most_confused, precision
from cifartui.lessons.topic import Topic
from cifartui.text import column, shortened
from cifartui.tui.theme import class_variable
from cifartui.tui.widgets.bars import bar
from cifartui.tui.widgets.class_names import Window, marked_name, more_text, name_cells, names_of, short_names, window

ACCURACY_CELLS, PRECISION_CELLS = 7, 11
"""Of a percentage and the gap before it."""
LEAST_BAR_CELLS = 20
"""Of a bar, for precision to stand beside it."""
BAR_CELLS = 60


class ClassBars(Widget, can_focus=True):
    """A line for each class: its accuracy as a bar and a number, precision where there is room, the usual mistake.

    Where there is room for twice the lines, an empty one stands between two classes.
    """

    topic = Topic("evaluation.class")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,down", "turn(1)", "more", tooltip="Further classes", id="classes.down", key_display="pgdn"),
        Binding("pageup,up", "turn(-1)", "more", tooltip="The classes before", show=False, id="classes.up"),
    ]

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._evaluation: Evaluation | None = None
        self._first = 0

    def show(self, evaluation: Evaluation | None) -> None:
        """Draw another result."""
        self._evaluation = evaluation
        self.refresh()

    @property
    def rows(self) -> Window:
        """The classes in view: all, or as many as leave a line to say which."""
        count, room = self._class_count, self.size.height - 1
        return window(self._first, room if count <= room else room - 1, count)

    @property
    def has_more(self) -> bool:
        """Whether there are classes that are not in view."""
        return self.rows.shown < self._class_count

    @property
    def _class_count(self) -> int:
        return len(self._evaluation.per_class) if self._evaluation else 0

    def action_turn(self, pages: int) -> None:
        """Show other classes."""
        rows = self.rows
        self._first = window(rows.first + pages * rows.shown, rows.shown, self._class_count).first
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys for what is not in view are there only where something is not."""
        return action != "turn" or self.has_more

    def on_resize(self) -> None:
        self.refresh_bindings()

    def render(self) -> RenderResult:
        """The heading, the classes in view, and which of them these are."""
        if self._evaluation is None:
            return ""
        rows, width = self.rows, self.size.width
        lines = self._lines(self._evaluation, rows, width)
        gap = "\n\n" if self.size.height >= 2 * rows.shown else "\n"
        more = more_text(rows, None, self._class_count)
        return Content("\n").join([lines[0], Content(gap).join(lines[1:]), *([more] if more.plain else [])])

    def _lines(self, evaluation: Evaluation, rows: Window, width: int) -> list[Content]:
        names = names_of(evaluation)
        own = name_cells(names, width)
        labels = short_names(names, own)
        taken_cells = len("   ") + max(own, len("taken for")) + len(" 100%")
        bar_cells = width - 2 - own - 1 - ACCURACY_CELLS - taken_cells
        with_precision = bar_cells - PRECISION_CELLS >= LEAST_BAR_CELLS
        bar_cells = max(1, min(BAR_CELLS, bar_cells - PRECISION_CELLS * with_precision))
        title = f"{column('class', own + 3)}{column('accuracy', bar_cells + ACCURACY_CELLS)}"
        title += f"{'precision':>{PRECISION_CELLS}}" if with_precision else ""
        lines = [Content.styled(shortened(f"{title}   taken for", width), "$text-muted")]
        for index in rows.classes:
            accuracy, confused = evaluation.per_class[index].accuracy, most_confused(evaluation, index)
            taken_for = f"   {column(labels[confused[0]], taken_cells - 8)} {confused[1]:>4.0%}" if confused else ""
            share = precision(evaluation, index)
            precise = "–" if share is None else f"{share:.1%}"
            lines.append(
                Content.assemble(
                    marked_name(evaluation, index, labels[index], own),
                    " ",
                    bar(self.app, accuracy, bar_cells, class_variable(evaluation.per_class[index].name, index)),
                    (f" {accuracy:>6.1%}", "bold"),
                    (f"{precise:>{PRECISION_CELLS}}" if with_precision else "", "$text-muted"),
                    (taken_for, "$text-muted"),
                )
            )
        return lines
