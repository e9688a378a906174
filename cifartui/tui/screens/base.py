"""What the screens have in common."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer

from cifartui.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp


class CifarScreen(Screen[None]):
    """A screen that knows its app's type."""

    @property
    def cifar_app(self) -> "CifarApp":
        """The app, with its type."""
        return cast("CifarApp", self.app)


class NounScreen(CifarScreen):
    """A screen with the line on top, a body and the keys at the bottom."""

    NOUN: ClassVar[str]

    def compose(self) -> ComposeResult:
        yield TopBar(self.NOUN)
        with Container(id="body"):
            yield from self.compose_body()
        yield Footer(show_command_palette=False)

    def compose_body(self) -> ComposeResult:
        """The widgets between the line on top and the keys."""
        raise NotImplementedError
