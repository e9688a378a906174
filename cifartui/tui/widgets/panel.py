"""The panel in which every part of a screen stands, and the three columns in which panels stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
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
        self._drawn_again: tuple[Region, ...] = ()
        """The lines that a new text in an edge changes, while it is put there."""
        super().__init__(*children, id=id, classes=classes)
        self._title = self._fact = Content()
        self.entitle(title)
        self.say(fact)

    def entitle(self, title: str | Content) -> None:
        """Put a title into the upper edge."""
        text = _edge_text(title)
        if not text.is_same(self._title):
            self._title = text
            with self._only_line(-1):
                self.border_title = text

    def say(self, fact: str | Content) -> None:
        """Put a short fact or hint into the lower edge."""
        text = _edge_text(fact)
        if not text.is_same(self._fact):
            self._fact = text
            with self._only_line(self.content_size.height):
                self.border_subtitle = text

    @contextmanager
    def _only_line(self, line: int) -> Iterator[None]:
        """Draw no more than a line again meanwhile, counted from the first of the content."""
        self._drawn_again = (Region(-self.content_offset.x, line, self.outer_size.width, 1),)
        yield
        self._drawn_again = ()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw again: all of the panel, or where only an edge has another text, that edge."""
        return super().refresh(*(regions or self._drawn_again), repaint=repaint, layout=layout, recompose=recompose)


def _edge_text(text: str | Content) -> Content:
    return text if isinstance(text, Content) else Content(printable(text, 200))


class Choose(Vertical):
    """The left column: what there is, to choose from."""


class Look(Vertical):
    """The column in the middle, which takes most of the screen: what was chosen."""


class Understand(Vertical):
    """The right column, there from 140 columns on: what the thing under the cursor is."""
