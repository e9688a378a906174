"""What the screens have in common."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Container, Horizontal
from textual.dom import DOMNode
from textual.screen import Screen, ScreenResultType
from textual.widgets import DataTable, OptionList
from textual.worker import Worker, WorkerState

from cifartui.failures import failure
from cifartui.lessons.topic import Topic
from cifartui.tui.explaining import explanation_of, keys_in_hand, own_keys
from cifartui.tui.widgets.explain import Explain
from cifartui.tui.widgets.guide_line import GuideLine
from cifartui.tui.widgets.key_line import KeyLine
from cifartui.tui.widgets.notice_line import NoticeLine
from cifartui.tui.widgets.panel import Understand
from cifartui.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp
    from cifartui.tui.view import RunView


class BaseScreen(Screen[ScreenResultType]):
    """A screen or dialog that knows its app's type, and keeps what goes wrong from the user's work."""

    LESSON: ClassVar[str] = "screen"
    """Key of the lesson on the screen itself."""

    @property
    def cifar_app(self) -> "CifarApp":
        """The app, with its type."""
        return cast("CifarApp", self.app)

    @property
    def topic(self) -> Topic:
        """What is to be explained: what the widget with the focus, or one around it, has as its `topic`."""
        for node in self._focused_nodes:
            if isinstance(topic := getattr(node, "topic", None), Topic):
                return topic
        return self.own_topic

    @property
    def _focused_nodes(self) -> list[DOMNode]:
        """The widget with the focus and those around it; none while it is out of view."""
        nodes = self.focused.ancestors_with_self if self.focused else []
        within = [node for node in nodes if node not in (self, self.app)]
        return within if all(node.display for node in within) else []

    @property
    def own_topic(self) -> Topic:
        """What the screen itself is."""
        return Topic(self.LESSON)

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
        with Horizontal(id="columns"):
            with Container(id="body"):
                yield from self.compose_body()
            with Understand():
                yield Explain(id="explain")

    def compose_body(self) -> ComposeResult:
        """The widgets between the line on top and the keys."""
        raise NotImplementedError

    @property
    def own_topic(self) -> Topic:
        return Topic(f"screen.{self.NOUN}")

    def on_mount(self) -> None:
        self.mount(GuideLine())
        self.bindings_updated_signal.subscribe(self, self.explain)

    @on(DataTable.RowHighlighted)
    @on(OptionList.OptionHighlighted)
    @on(events.DescendantFocus)
    @on(events.ScreenResume)
    @on(events.Resize)
    def explain(self, _: object = None) -> None:
        """Explain what is under the cursor now, where the panel for it has room."""
        self.call_after_refresh(self._explain)

    def _explain(self) -> None:
        panel = self.query_one(Explain)
        if self.is_active and self.has_class("-wide"):
            panel.show(explanation_of(self.topic, self.cifar_app, keys_in_hand(self)), own_keys(self))


class RunScreen(NounScreen):
    """A screen with keys that are about the run in view."""

    @property
    def run_in_view(self) -> "RunView | None":
        """The run that the keys are about; None while the screen shows something else."""
        return self.cifar_app.run_view
