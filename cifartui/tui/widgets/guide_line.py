"""The lines above the keys that say where on the guided path one is, and what there is to see."""

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widgets import Static

from cifartui.lessons.topic import Topic
from cifartui.tui.explaining import explanation_of, keys_in_hand
from cifartui.tui.guide import STEPS
from cifartui.tui.widgets.explain import lesson_text

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp


class GuideLine(Static):
    """The step's lesson; not there off the path."""

    def on_mount(self) -> None:
        for what in ("guide_step", "dataset_name", "run_view"):
            self.watch(self.app, what, self._show)
        self.screen.bindings_updated_signal.subscribe(self, self._show)

    def _show(self, _: object = None) -> None:
        app = cast("CifarApp", self.app)
        step = app.guide_step
        self.display = step is not None
        if step and self.screen.is_active:
            explanation = explanation_of(Topic(f"guide.{step}"), app, keys_in_hand(self.screen))
            place = f"{STEPS.index(step) + 1} of {len(STEPS)} · {explanation.title}"
            text = Content("\n").join(map(lesson_text, explanation.paragraphs))
            self.update(Content.assemble((place, "bold $explanation"), "\n", text))
