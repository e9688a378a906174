"""What the dialogs have in common."""

from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Label

from cifartui.text import printable
from cifartui.tui.screens.base import BaseScreen

ESCAPE = Binding("escape", "cancel", "cancel", id="dialog.cancel")


class Dialog(BaseScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """A dialog, over the screen that asks."""


def keys_line(*keys: tuple[str, str]) -> Label:
    """The last line of a dialog: each key and what it does."""
    return Label(
        Content("   ").join(Content.assemble((key, "bold $primary"), f" {what}") for key, what in keys),
        classes="keys",
    )


def explaining(text: str) -> Label:
    """The lines under a dialog's title that say what is asked for; none where there is no text."""
    label = Label(Content("\n".join(map(printable, text.splitlines()))), classes="explaining")
    label.display = bool(text)
    return label
