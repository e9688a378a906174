"""The panel in which every part of a screen stands, and the three columns in which panels stand."""

from typing import ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from cifartui.text import printable


class Panel(Vertical):
    """A thin round border with a title and, in its lower edge, a short fact or hint; the focus within turns it bright.

    Below 100 columns there is no border: the title is a line above the content, and with the class `-bare` not there.
    """

    ALLOW_MAXIMIZE: ClassVar[bool | None] = False
    DEFAULT_CSS = """
    Panel {
        border: round $edge;
        border-title-color: $accent;
        border-title-style: bold;
        border-subtitle-color: $quiet;
        padding: 0 1;
        height: auto;
        &:focus-within {
            border: round $accent;
        }
        &:nocolor:focus-within, &:ansi:focus-within {
            border: heavy $accent;
        }
        &.-explaining {
            border-title-color: $explanation;
        }
    }
    .-narrow Panel, .-narrow Panel:focus-within, .-narrow Panel:nocolor:focus-within,
    .-narrow Panel:ansi:focus-within {
        border: none;
        border-top: blank $edge;
        &.-bare {
            border-top: none;
        }
    }
    """

    def __init__(
        self,
        title: str | Content,
        *children: Widget,
        fact: str = "",
        id: str | None = None,  # noqa: A002  # as in all widgets of the library
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=classes)
        self.entitle(title)
        self.say(fact)

    def entitle(self, title: str | Content) -> None:
        """Put a title into the upper edge."""
        self.border_title = _edge_text(title)

    def say(self, fact: str | Content) -> None:
        """Put a short fact or hint into the lower edge."""
        self.border_subtitle = _edge_text(fact)


def _edge_text(text: str | Content) -> Content:
    return text if isinstance(text, Content) else Content(printable(text, 200))


class Choose(Vertical):
    """The left column: what there is, to choose from."""


class Look(Vertical):
    """The column in the middle, which takes most of the screen: what was chosen."""


class Understand(Vertical):
    """The right column, there from 140 columns on: what the thing under the cursor is."""
