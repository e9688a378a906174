"""A question with a few answers, each with a key of its own and what it means."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Label

from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, Dialog, explaining


class Answer(NamedTuple):
    """One of the answers."""

    key: str
    value: str
    """What the dialog closes with."""
    meaning: str
    """What comes of it."""


class AnswerDialog(Dialog[str]):
    """A question answered by one key; closes with the answer's value, or None after escape."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(
        self, question: str, answers: Sequence[Answer], *, explanation: str = "", escape: str = "back"
    ) -> None:
        """`escape` says what it means to choose none of them."""
        super().__init__()
        self._question, self._answers, self._explanation, self._escape = question, answers, explanation, escape

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content.styled(printable(self._question), "bold"))
            yield explaining(self._explanation)
            with Vertical(classes="answers"):
                yield from self._lines()

    def _lines(self) -> Iterator[Horizontal]:
        for key, meaning in [*((key, meaning) for key, _, meaning in self._answers), ("esc", self._escape)]:
            yield Horizontal(
                Label(Content.styled(key, "bold $primary"), classes="key"),
                Label(Content(printable(meaning)), classes="meaning"),
                classes="answer",
            )

    def on_key(self, event: Key) -> None:
        for key, value, _ in self._answers:
            if key in event.aliases:
                event.stop()
                self.dismiss(value)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
