"""The line on top of every screen: the four nouns, and the run in view with its loss."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Sparkline, Static

from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView
from cifartui.tui.widgets.writing import write

NOUNS = ("dataset", "model", "training", "evaluation")
SPARK_POINTS = 64
SPARK_SECONDS = 1.0
"""Between two drawings of the sparkline."""


class TopBar(Widget):
    """Where you are, and how the run goes."""

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._losses: list[float] = []
        self._drawing: Timer | None = None
        """Until the sparkline is drawn again."""

    def compose(self) -> ComposeResult:
        yield Static(Content("cifartui"), id="name")
        yield Static(tabs(self._current), id="tabs")
        yield Static(id="status")
        yield Sparkline(summary_function=mean, id="spark")

    def on_mount(self) -> None:
        self.watch(self.app, "run_view", self._show)

    def _show(self, view: RunView | None) -> None:
        status = self.query_one("#status", Static)
        if view is None:
            status.update(Content("no run · 3 starts one"))
            return
        narrow = self.app.size.width < 110
        write(status, Content(f"{view.tag if narrow else view.short_id} {view.status}"))
        self.set_class(view.state in LIVING, "-live")
        losses = [point.loss for point in view.history.curve if point.loss is not None]
        self._losses = losses[-SPARK_POINTS:]
        if self._drawing is None:
            self._drawing = self.set_timer(SPARK_SECONDS, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        self.query_one("#spark", Sparkline).data = self._losses


def tabs(current: str) -> Content:
    """The four nouns with their keys; the one in view stands between bars, which are seen without colours, too."""
    parts = [Content(" ")]
    for number, noun in enumerate(NOUNS, start=1):
        if noun == current:
            parts.append(Content.styled(f"▌{number} {noun}▐", "bold $accent reverse"))
        else:
            parts.append(Content.styled(f" {number} {noun} ", "$text-muted"))
    return Content("").join(parts)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)
