"""Choose one of a list."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, Dialog, explaining, keys_line
from cifartui.tui.widgets.paths import PathInput

LEAST_LINES = 2
"""Of the list, so that the one under the cursor is seen."""


class Frame(Vertical):
    """What is around the list, which gets the lines that the rest leaves it, so that it alone scrolls."""

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        choices = self.query_one(OptionList)
        rest = self.outer_size.height - choices.outer_size.height
        choices.styles.max_height = max(LEAST_LINES, self.screen.size.height - rest)
        self.call_after_refresh(choices.scroll_to_highlight)


class ChoiceDialog(Dialog[str]):
    """Choose one of a list, or type something else where that is possible; closes with what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[str, str | Content]],
        other: str = "",
        chosen: str = "",
        check: Callable[[str], object] | None = None,
        *,
        explanation: str = "",
        path: tuple[str, ...] | None = None,
    ) -> None:
        """`choices` are values and their texts; `other` asks for something else, a `path` is completed to files with
        these suffixes; the cursor begins at the value `chosen`; it stays open with a sentence while `check` finds the
        answer wrong.
        """
        super().__init__()
        self._title, self._choices, self._other, self._path = title, choices, other, path
        self._check, self._explanation = check, explanation
        self._start = next((place for place, (value, _) in enumerate(choices) if value == chosen), 0)

    def compose(self) -> ComposeResult:
        with Frame(classes="dialog choosing explained" if self._explanation else "dialog choosing"):
            yield Label(Content(printable(self._title)))
            with VerticalScroll(classes="bounded", can_focus=False):
                yield explaining(self._explanation)
            yield OptionList(
                *(
                    Option(text if isinstance(text, Content) else Content(printable(text)), id=f"choice{place}")
                    for place, (_, text) in enumerate(self._choices)
                )
            )
            if self._other:
                yield Label(Content(f"{self._other}:"))
                yield PathInput(suffixes=self._path) if self._path is not None else Input()
            yield Static(classes="problem")
            if self._other:
                yield keys_line(("enter", "takes it"), ("tab", "to the line and back"), ("esc", "back"))
            else:
                yield keys_line(("↑↓", "choose"), ("enter", "takes it"), ("esc", "back"))

    def on_mount(self) -> None:
        self.query_one(".problem").display = False
        choices = self.query_one(OptionList)
        if self._choices:
            choices.highlighted = self._start

    def on_resize(self) -> None:
        self.query_one(Frame).on_resize()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._answer(self._choices[event.option_index][0])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._answer(event.value.strip())

    def _answer(self, value: str) -> None:
        try:
            if self._check:
                self._check(value)
        except CifartuiError as error:
            problem = self.query_one(".problem", Static)
            problem.update(Content(printable(str(error))))
            problem.display = True
        else:
            self.dismiss(value)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
