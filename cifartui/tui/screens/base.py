"""What the screens have in common."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Container
from textual.screen import Screen, ScreenResultType
from textual.worker import Worker, WorkerState

from cifartui.failures import failure
from cifartui.tui.widgets.key_line import KeyLine
from cifartui.tui.widgets.notice_line import NoticeLine
from cifartui.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp
    from cifartui.tui.view import RunView


class BaseScreen(Screen[ScreenResultType]):
    """A screen or dialog that knows its app's type, and keeps what goes wrong from the user's work."""

    @property
    def cifar_app(self) -> "CifarApp":
        """The app, with its type."""
        return cast("CifarApp", self.app)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, once: a second enter would close the screen below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error:
            self.cifar_app.complain(str(failure(event.worker.error)))


class CifarScreen(BaseScreen[None]):
    """A screen with what is said and the keys at its foot."""

    def on_mount(self) -> None:
        self.mount(NoticeLine(), KeyLine())


class NounScreen(CifarScreen):
    """A screen with the line on top, a body and the keys at the bottom."""

    NOUN: ClassVar[str]

    def compose(self) -> ComposeResult:
        yield TopBar(self.NOUN)
        with Container(id="body"):
            yield from self.compose_body()

    def compose_body(self) -> ComposeResult:
        """The widgets between the line on top and the keys."""
        raise NotImplementedError


class RunScreen(NounScreen):
    """A screen with keys that are about the run in view."""

    @property
    def run_in_view(self) -> "RunView | None":
        """The run that the keys are about; None while the screen shows something else."""
        return self.cifar_app.run_view
