"""What is under the cursor, explained, and the keys of the screen below; from there on, every other lesson."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from cifartui.lessons.lesson import lessons
from cifartui.lessons.topic import Topic
from cifartui.text import printable
from cifartui.tui.explaining import explanation_of, keys_in_hand, topic_in_hand
from cifartui.tui.widgets.dialogs.base import Dialog
from cifartui.tui.widgets.explain import explanation_text
from cifartui.tui.widgets.keys_text import keys_text


class ExplainScreen(Dialog[None]):
    """The explanation and the keys; ↑↓ scroll, ←→ go to the lessons before and after."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "back", id="keys.back", key_display="esc"),
        Binding("tab", "keys", "keys", tooltip="Go down to the keys of the screen", id="explain.keys"),
        Binding("left", "turn(-1)", "lesson before", tooltip="The lesson before this one", id="explain.before"),
        Binding(
            "right", "turn(1)", "next lesson", tooltip="The next lesson, in the tutorial's order", id="explain.next"
        ),
    ]

    def __init__(self, below: Screen[object], topic: Topic) -> None:
        super().__init__()
        self._below, self._topic, self._first = below, topic, topic
        self._active = {one.binding.id for one in below.active_bindings.values() if one.enabled}
        self._keys = keys_in_hand(below)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog drawer"):
            yield Static(id="lesson")
            yield Static(id="keys")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)  # once the drawer has its width

    def _draw(self) -> None:
        explanation = explanation_of(self._topic, self.cifar_app, self._keys)
        columns = self.query_one(VerticalScroll).scrollable_content_region.width - 1  # padded
        drawer = self.query_one(VerticalScroll)
        drawer.border_title = Content(printable(explanation.title))
        drawer.border_subtitle = "←→ lessons   tab keys   esc back"
        self.query_one("#lesson", Static).update(explanation_text(explanation, columns))
        self.query_one("#keys", Static).update(keys_text(self._below, self._active, columns, self.cifar_app.own_keys))

    def action_turn(self, by: int) -> None:
        """Go to another lesson; the one that the screen was opened with keeps its numbers."""
        known = list(lessons())
        place = known.index(self._topic.key) if self._topic.key in known else 0
        key = known[(place + by) % len(known)]
        self._topic = self._first if key == self._first.key else topic_in_hand(key, self.cifar_app)
        self._draw()
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_keys(self) -> None:
        """Scroll to the keys of the screen below."""
        self.query_one(VerticalScroll).scroll_to_widget(self.query_one("#keys"), top=True, animate=False)
