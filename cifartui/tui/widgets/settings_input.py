"""A line of settings, `name=value name=value …`, in which a key goes from value to value."""

import re
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.widgets.input import Selection

VALUE = re.compile(r"(?<==)\S*")


class SettingsInput(Input):
    """Tab selects the next value, so that typing replaces it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", tooltip="Keep the numbers as they are typed", id="settings.keep"),
        Binding("tab", "value(1)", "next number", tooltip="Go to the next number", id="settings.next"),
        Binding(
            "shift+tab",
            "value(-1)",
            "number before",
            show=False,
            tooltip="Go to the number before",
            id="settings.previous",
        ),
    ]

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id, select_on_focus=False)

    def select_first(self) -> None:
        """Select the first value."""
        self.cursor_position = 0
        self.action_value(1)
        self.call_after_refresh(self.scroll_home, animate=False)

    def action_value(self, direction: int) -> None:
        """Select the next value or the one before, and round again."""
        spans = [match.span() for match in VALUE.finditer(self.value)]
        if not spans:
            return
        here = min(self.selection)
        if direction > 0:
            span = next((span for span in spans if span[0] > here), spans[0])
        else:
            span = next((span for span in reversed(spans) if span[1] < here), spans[-1])
        self.selection = Selection(*span)
