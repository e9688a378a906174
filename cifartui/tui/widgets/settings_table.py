"""The table of settings before a run, in groups; the value under the cursor is edited where it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Container
from textual.message import Message
from textual.widgets import DataTable, Input

from cifartui.text import cells, shortened
from cifartui.tui.run_plan import PlannedSetting
from cifartui.tui.setting_groups import group_of
from cifartui.tui.widgets.plan_texts import row_cells

CELLS = 77
"""Of a line: what a terminal of 80 columns has between its edges and beside the scroll bar."""
GROUP_CELLS, MARK_CELLS = 12, 2
LONGEST_LABEL, LONGEST_VALUE = 22, 26
GAP = 2
"""Cells to the next column."""
EDGE = 1
"""Cells left of the first column."""


class SettingsTable(DataTable[Text]):
    """A line for each setting; enter starts what they say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.start", "start", tooltip="Start training with these settings", id="training.start"),
        Binding("v", "screen.change", "change", tooltip="Change the setting under the cursor", id="training.change"),
        Binding(
            "u,backspace",
            "screen.take_back",
            "unset",
            tooltip="Take the change of the setting under the cursor back",
            id="training.unset",
            key_display="⌫",
        ),
        Binding("r", "screen.recipe", "recipe", tooltip="Choose a recipe", id="training.recipe"),
        Binding(
            "k",
            "screen.save_recipe",
            "save",
            tooltip="Keep these settings as a recipe of your own",
            id="training.save_recipe",
        ),
        Binding("c", "screen.curve", "curve", tooltip="Show or hide the learning rate's curve", id="training.curve"),
        Binding(
            "l",
            "screen.find_rate",
            "find rate",
            tooltip="Find a learning rate: train a copy while the rate goes up, and see where the loss falls",
            id="training.find_rate",
        ),
        Binding("home", "row(0)", "first", tooltip="The first setting", show=False, id="settings.first"),
        Binding("end", "row(-1)", "last", tooltip="The last setting", show=False, id="settings.last"),
        Binding("right", "group(1)", "next group", tooltip="The next group", show=False, id="settings.next_group"),
        Binding("left", "group(-1)", "group before", tooltip="The group before", show=False, id="settings.last_group"),
    ]

    groups: tuple[str, ...] = ()
    """Of each line, the group that it stands in."""

    def on_resize(self) -> None:
        """The setting under the cursor stays in view when what is below takes lines away."""
        self.move_cursor(row=self.cursor_row)

    def action_row(self, row: int) -> None:
        """Go to the first or the last setting."""
        self.move_cursor(row=row % max(1, self.row_count))

    def action_group(self, direction: int) -> None:
        """Go to the first setting of the next group, or of this one or the group before."""
        firsts = [row for row, group in enumerate(self.groups) if row == 0 or group != self.groups[row - 1]]
        if direction > 0:
            self.move_cursor(row=next((row for row in firsts if row > self.cursor_row), self.row_count - 1))
        else:
            self.move_cursor(row=next((row for row in reversed(firsts) if row < self.cursor_row), 0))


class ValueInput(Input):
    """A value while it is typed, over its cell in the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", tooltip="Keep the value as it is typed", id="settings.keep"),
        Binding("escape", "drop", "as it was", tooltip="Leave the value as it was", id="settings.drop"),
    ]

    def action_drop(self) -> None:
        """Go back to the table."""
        self.post_message(SettingsEditor.Dropped())

    def on_blur(self) -> None:
        self.post_message(SettingsEditor.Dropped())


class SettingsEditor(Container):
    """The table, and over it the line in which a value is typed."""

    @dataclass
    class Typed(Message):
        """The value under the cursor is another now; it is not kept yet."""

        value: str

    @dataclass
    class Kept(Message):
        """The value typed is to be kept."""

        value: str

    class Dropped(Message):
        """Nothing more is typed."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._widths: tuple[int, ...] = ()
        """Cells of the table's columns, with the gap to the next one."""

    def compose(self) -> ComposeResult:
        yield SettingsTable(id="settings", cursor_type="row", show_header=False, cell_padding=0)
        yield ValueInput(id="value", compact=True)

    def on_mount(self) -> None:
        self._input.display = False
        self.watch(self.table, "scroll_y", self._scrolled, init=False)

    @property
    def table(self) -> SettingsTable:
        """The table."""
        return self.query_one(SettingsTable)

    @property
    def _input(self) -> ValueInput:
        return self.query_one(ValueInput)

    @property
    def is_editing(self) -> bool:
        """Whether a value is being typed."""
        return self._input.display

    def show(self, settings: Iterable[PlannedSetting], *, forked: bool) -> None:
        """Show settings, with the cursor in the line where it was."""
        table, planned = self.table, list(settings)
        row, top = table.cursor_row, table.scroll_y
        rows = [row_cells(one, forked=forked) for one in planned]
        self._set_widths(rows)
        table.clear()
        table.groups = tuple(group_of(one.setting.key) for one in planned)
        titles = Style(bold=True, color=Color.parse(self.app.theme_variables["primary"]).rich_color)
        for place, (one, texts) in enumerate(zip(planned, rows, strict=True)):
            group = table.groups[place] if place == 0 or table.groups[place - 1] != table.groups[place] else ""
            style = "bold" if one.changed else ""
            table.add_row(
                Text(group, titles),
                *(Text(shortened(cell, width), style) for cell, width in zip(texts, self._widths[1:], strict=True)),
                key=one.setting.key,
            )
        table.move_cursor(row=row)
        table.scroll_to(y=top, animate=False)

    def _set_widths(self, rows: list[tuple[str, str, str, str]]) -> None:
        """Give the columns the cells that these rows need, and what comes last the rest."""
        label = min(LONGEST_LABEL, max((cells(label) for _, label, _, _ in rows), default=0))
        value = min(LONGEST_VALUE, max((cells(value) for _, _, value, _ in rows), default=0))
        first = (GROUP_CELLS, MARK_CELLS, label + GAP, value + GAP)
        widths = (*first, CELLS - sum(first))
        if widths != self._widths:
            self._widths = widths
            self.table.clear(columns=True)
            for place, width in enumerate(widths):
                self.table.add_column(str(place), width=width)

    def on_resize(self) -> None:
        """What is said of a value that is typed may take lines away: the line goes with its row."""
        if self.is_editing:
            self.call_after_refresh(self._place_line)

    def _scrolled(self) -> None:
        """The table was scrolled, with the wheel perhaps."""
        if self.is_editing:
            self._place_line()

    # EDITING IN PLACE

    def edit(self, value: str) -> None:
        """Let the value under the cursor be typed."""
        line = self._input
        with line.prevent(Input.Changed):
            line.value = value
        self._place_line()
        line.display = True
        self.screen.set_focus(line)  # at once: the next key is for it

    def _place_line(self) -> None:
        """Lay the line over the value of the row under the cursor."""
        table, line, place = self.table, self._input, EDGE + sum(self._widths[:3])
        top, last = round(table.scroll_y), table.cursor_row - table.scrollable_content_region.height + 1
        if not last <= top <= table.cursor_row:  # the row is out of view
            table.scroll_to(y=max(0, last), animate=False, immediate=True)
        line.styles.offset = (place, round(table.cursor_row - table.scroll_y))
        line.styles.width = self.size.width - place - EDGE - table.show_vertical_scrollbar

    def end(self) -> None:
        """Go back to the table."""
        line = self._input
        if self.is_editing:
            had_focus = line.has_focus
            line.display = False
            if had_focus:
                self.table.focus()

    @on(Input.Changed, "#value")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_editing:
            self.post_message(self.Typed(event.value))

    @on(Input.Submitted, "#value")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Kept(event.value))

    @on(Dropped)
    def _dropped(self) -> None:
        self.end()
