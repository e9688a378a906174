"""The run in view: its curves, its facts, its log, and what to do next."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cifartui.text import printable
from cifartui.tui.view import RunView
from cifartui.tui.widgets.charts import CurveChart, Curves, accuracy_curves, legend, loss_curves
from cifartui.tui.widgets.run_texts import facts_text, notes_text

CHARTS = {"loss": "loss", "accuracy": "accuracy, %"}
"""Their titles."""


class RunPanel(Vertical):
    """Curves on the left, facts and log on the right, notes below."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._drawn: RunView | None = None
        self._curves: tuple[Curves, ...] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(id="upper"):
            with Vertical(id="charts"):
                for name in CHARTS:
                    yield Static(id=f"{name}-title", classes="heading")
                    yield CurveChart(widget_id=name)
            with Vertical(id="side"):
                yield Static("run", classes="heading")
                yield Static(id="facts")
                yield Static("log", id="log-title", classes="heading")
                with VerticalScroll(id="log"):
                    yield Static(id="log-lines")
        yield Static(id="notes")

    def show(self, view: RunView) -> None:
        """Draw a run as far as it is known; what has not changed is left alone."""
        before, self._drawn = self._drawn, view
        is_other = before is None or before.run.id != view.run.id
        self._curves = (loss_curves(view.history, view.guessing), accuracy_curves(view.history))
        for name, curves in zip(CHARTS, self._curves, strict=True):
            self.query_one(f"#{name}", CurveChart).set_curves(curves)
        self._draw_legends()
        self._write("facts", facts_text(view))
        notes = notes_text(view)
        self._write("notes", notes)
        self.query_one("#notes").display = bool(notes.plain)
        if before is None or is_other or view.history.log_length != before.history.log_length:
            log = self.query_one("#log", VerticalScroll)
            at_the_end = is_other or log.is_vertical_scroll_end
            self.query_one("#log-lines", Static).update(Content("\n".join(map(printable, view.history.log))))
            if at_the_end:  # who has scrolled back is reading
                log.scroll_end(animate=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_legends)

    def _draw_legends(self) -> None:
        for (name, title), curves in zip(CHARTS.items(), self._curves, strict=False):
            cells = self.query_one(f"#{name}-title").content_size.width
            self._write(f"{name}-title", legend(title, curves, cells))

    def _write(self, widget: str, text: Content) -> None:
        """Give a text to its widget, unless it stands there already: it would be laid out again ten times a second."""
        static = self.query_one(f"#{widget}", Static)
        before = static.content
        if not (isinstance(before, Content) and before.is_same(text)):
            static.update(text)
