"""The table of a network's operations, in which sequences and blocks open and close."""

from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable

from cifartui.lessons.lesson import lessons
from cifartui.lessons.topic import Topic
from cifartui.lessons.topics import input_topic, layer_topic
from cifartui.model.summary import Summary
from cifartui.text import bar
from cifartui.tui.widgets.layer_rows import Row, layer_rows

LAYER, KIND, OUTPUT, PARAMETERS, SHARE, HOW, MACS = range(7)
COLUMNS = ("layer", "kind", "output", "parameters", "", "how", "multiply-adds")
PADDING, BAR_CELLS = 2, 8
"""Cells between two columns, and of the bars that compare parameters."""
LEAST_HOW = 25
"""Cells of a layer's arithmetic below which it is left out: it stands beside the table, or below it."""


class LayerTable(DataTable[Text]):
    """The input, then each operation; says on the line of keys what enter and the arrows do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "edit",
            tooltip="Change the numbers of the layer under the cursor",
            id="model.edit",
        ),
        Binding(
            "right",
            "open(True)",
            "open",
            tooltip="Show the layers inside the block under the cursor",
            id="model.open",
            key_display="→",
        ),
        Binding(
            "left",
            "open(False)",
            "close",
            tooltip="Hide the layers inside the block",
            id="model.close",
            key_display="←",
        ),
        Binding("home", "scroll_top", "top", tooltip="Go to the first line", show=False, id="model.top"),
        Binding("end", "scroll_bottom", "bottom", tooltip="Go to the last line", show=False, id="model.bottom"),
    ]

    class Selected(Message):
        """Another line is under the cursor, or the line under it changed; by now it may be another again."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id, cursor_type="row", zebra_stripes=False)
        self._opened: set[str] = set()
        self._summary: Summary | None = None
        self._following: frozenset[str] = frozenset()
        self._rows: list[Row] = []
        self._shown: tuple[int, ...] = ()
        """The columns that there is room for."""
        self._drawn: list[list[Text]] = []

    def on_resize(self) -> None:
        if self._summary:
            self._drawn = []
            self.show(self._summary, following=self._following)

    @property
    def lines(self) -> list[Row]:
        """All of them, as they stand below one another."""
        return self._rows

    @property
    def selected(self) -> Row | None:
        """The line under the cursor."""
        return self._rows[self.cursor_row] if self.cursor_row < len(self._rows) else None

    @property
    def topic(self) -> Topic:
        """What is under the cursor, for the panel that explains."""
        row, summary = self.selected, self._summary
        if row is None or summary is None:
            return Topic("screen.model")
        if row.operation:
            topic = layer_topic(row.operation, summary.operations[row.position - 1] if row.position else None)
            return topic if topic.key in lessons() else Topic("screen.model")  # of code of the user's own
        if row.problem or not row.is_known:
            return Topic("screen.model.broken", {"problem": summary.problem})
        return input_topic(summary) if row.opened is None else Topic("screen.model.sequence", {"name": row.name})

    def show(self, summary: Summary, cursor: str | None = None, following: frozenset[str] = frozenset()) -> None:
        """Draw a network; the cursor goes to the line of the name `cursor`, or stays where it is.

        Lines whose names are in `following` are marked: their numbers follow the data set.
        """
        self._summary, self._following = summary, following
        self._rows = [
            replace(row, cells=(f"{row.cells[0]} *", *row.cells[1:])) if row.name in following else row
            for row in layer_rows(summary, frozenset(self._opened))
        ]
        columns = self._columns()
        has_other_columns, self._shown = columns != self._shown, columns
        texts = self._texts()
        if len(self._drawn) != len(texts) or has_other_columns:
            place = self.cursor_row
            self.clear(columns=True)
            self.add_columns(*(self._heading(number) for number in self._shown))
            self.add_rows(texts)
            self.move_cursor(row=min(place, len(texts) - 1))
        else:
            for number, (cells, before) in enumerate(zip(texts, self._drawn, strict=True)):
                for column, (text, former) in enumerate(zip(cells, before, strict=True)):
                    if (text.plain, text.style) != (former.plain, former.style):
                        self.update_cell_at(Coordinate(number, column), text, update_width=True)
        self._drawn = texts
        if cursor:
            self.go_to(cursor)
        self._tell()

    def _widths(self) -> list[int]:
        headed = zip(COLUMNS, *(row.cells for row in self._rows), strict=True)
        return [BAR_CELLS if number == SHARE else max(map(cell_len, cells)) for number, cells in enumerate(headed)]

    def _room(self, columns: tuple[int, ...]) -> int:
        """Cells that are left beside some columns and the scrollbar."""
        widths = self._widths()
        return self.size.width - 1 - sum(widths[number] + PADDING for number in columns)

    def _columns(self) -> tuple[int, ...]:
        """The columns that there is room for: the arithmetic before the bars, and both before the multiply-adds."""
        always = (LAYER, KIND, OUTPUT, PARAMETERS)
        full = (*always, SHARE, HOW, MACS)
        for columns in (full, (*always, SHARE, HOW)):
            if self._room(tuple(number for number in columns if number != HOW)) >= self._least_how() + PADDING:
                return columns
        if self._room(always) >= LEAST_HOW + PADDING:
            return (*always, HOW)
        return (*always, SHARE) if self._room((*always, SHARE)) >= 0 else always

    def _least_how(self) -> int:
        """Cells for the arithmetic of all layers but a few very long ones."""
        return min(self._widths()[HOW], LEAST_HOW + BAR_CELLS)

    def _heading(self, number: int) -> Text:
        return Text(COLUMNS[number], justify="right" if number in (PARAMETERS, MACS) else "left")

    def _texts(self) -> list[list[Text]]:
        """The cells, as texts in which nothing is markup; the arithmetic is cut where there is no room for it."""
        variables = self.app.theme_variables
        error, quiet, accent = (
            Style(color=Color.parse(variables[name]).rich_color) for name in ("error", "text-muted", "primary")
        )
        room = self._room(tuple(number for number in self._shown if number != HOW)) - PADDING
        most = max((row.parameters for row in self._rows), default=0) or 1
        made = []
        for row in self._rows:
            own = error if row.problem else Style() if row.is_known else Style(dim=True)
            cells = [Text(cell, own) for cell in row.cells]
            cells[LAYER].stylize("bold")
            cells[SHARE] = Text(bar(row.parameters / most, BAR_CELLS), accent)
            cells[PARAMETERS].justify = cells[MACS].justify = "right"
            if not row.problem:
                cells[HOW].style = quiet
            cells[HOW].truncate(max(room, 0), overflow="ellipsis")
            made.append([cells[number] for number in self._shown])
        return made

    def go_to(self, name: str) -> None:
        """Put the cursor on the line of a name."""
        place = next((number for number, row in enumerate(self._rows) if row.name == name), None)
        if place is not None:
            self.move_cursor(row=place)

    def on_data_table_row_highlighted(self) -> None:
        self._tell()

    def _tell(self) -> None:
        if self.selected:
            self.post_message(self.Selected())

    def action_open(self, opening: bool) -> None:
        """Open what is under the cursor, or close it or what it belongs to."""
        row = self.selected
        if row is None or self._summary is None:
            return
        if opening and row.opened is False:
            self._opened.add(row.name)
        elif not opening and (row.opened or row.parent):
            closed = row.name if row.opened else row.parent
            self._opened.discard(closed)
        else:
            return
        self.show(self._summary, row.name if opening or row.opened else row.parent, self._following)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense on this line are hidden."""
        row = self.selected
        if action == "open" and row:
            return row.opened is False if parameters[0] else bool(row.opened or row.parent)
        if action == "select_cursor" and row:
            return row.position is not None or row.opened is not None
        return True
