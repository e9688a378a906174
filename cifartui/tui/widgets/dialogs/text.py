"""Ask for a line of text, or show a longer one."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, Static

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, Dialog, explaining, keys_line
from cifartui.tui.widgets.paths import PathInput


class TextDialog(Dialog[str]):
    """Ask for one line of text; it stays open with a sentence while `check` finds the text wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(
        self,
        title: str,
        value: str = "",
        check: Callable[[str], object] | None = None,
        *,
        explanation: str = "",
        path: tuple[str, ...] | None = None,
        problem: str = "",
    ) -> None:
        """A `path` is completed to files with these suffixes; `problem` says what was wrong with the text before."""
        super().__init__()
        self._title, self._value, self._check, self._path, self._problem = title, value, check, path, problem
        self._explanation = explanation

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(printable(self._title)))
            yield explaining(self._explanation)
            yield PathInput(self._value, suffixes=self._path) if self._path is not None else Input(self._value)
            yield Static(Content(printable(self._problem)), classes="problem")
            completing = (("tab", "completes"),) if self._path is not None else ()
            yield keys_line(("enter", "takes it"), *completing, ("esc", "back"))

    @on(Input.Submitted)
    def _accept(self, event: Input.Submitted) -> None:
        try:
            if self._check:
                self._check(event.value)
        except CifartuiError as error:
            self.query_one(".problem", Static).update(Content(printable(str(error))))
            return
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class TextScreen(Dialog[None]):
    """A longer text to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back", id="text.back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog reading"):
            yield Label(Content.styled(f"{self._title}   esc back", "bold"))
            yield Static(Content(self._text))
