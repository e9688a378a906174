"""Choose one of a list."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, keys_line
from cifartui.tui.widgets.paths import PathInput


class ChoiceDialog(ModalScreen[str]):
    """Choose one of a list, or type something else where that is possible; closes with what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[str, str | Content]],
        other: str = "",
        chosen: str = "",
        *,
        path: bool = False,
    ) -> None:
        """`choices` are values and their texts; `other` asks for something else, a `path` that is completed;
        the cursor begins at the value `chosen`.
        """
        super().__init__()
        self._title, self._choices, self._other, self._path = title, choices, other, path
        self._start = next((place for place, (value, _) in enumerate(choices) if value == chosen), 0)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog choosing"):
            yield Label(Content(printable(self._title)))
            yield OptionList(
                *(
                    Option(text if isinstance(text, Content) else Content(printable(text)), id=f"choice{place}")
                    for place, (_, text) in enumerate(self._choices)
                )
            )
            if self._other:
                yield Label(Content(f"{self._other}:"))
                yield PathInput() if self._path else Input()
                yield keys_line(("enter", "takes it"), ("tab", "to the line and back"), ("esc", "back"))
            else:
                yield keys_line(("↑↓", "choose"), ("enter", "takes it"), ("esc", "back"))

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        if self._choices:
            choices.highlighted = self._start
            self.call_after_refresh(choices.scroll_to_highlight)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
