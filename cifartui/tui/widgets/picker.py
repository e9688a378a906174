"""One of a few values, chosen with the arrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class Picker(Widget, can_focus=True):
    """A name and the value chosen; left and right choose another."""

    DEFAULT_CSS = "Picker { height: 1; } Picker:focus { text-style: bold; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "value before", tooltip="The value before", id="picker.before", show=False),
        Binding("right,space", "turn(1)", "next value", tooltip="The next value", id="picker.turn", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        picker: "Picker"

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], *, widget_id: str) -> None:
        """`choices` are values and their texts."""
        super().__init__(id=widget_id)
        self._label, self._choices, self._place = label, choices, 0

    @property
    def value(self) -> str:
        """The value chosen."""
        return self._choices[self._place][0]

    def render(self) -> Content:
        """All values in a line; `▸` marks the one chosen while the arrows change it, `●` otherwise."""
        texts: list[str | tuple[str, str]] = [
            (self._label, "bold reverse $primary" if self.has_focus else ""),
            " ",
        ]
        for place, (_, text) in enumerate(self._choices):
            chosen = place == self._place
            mark = ("▸" if self.has_focus else "●") if chosen else " "
            texts += [(f"{mark} {text}", "bold $primary" if chosen else "$text-muted"), "  "]
        return Content.assemble(*texts)

    def action_turn(self, direction: int) -> None:
        """Choose the next value or the one before."""
        self._place = (self._place + direction) % len(self._choices)
        self.refresh()
        self.post_message(self.Changed(self))
