"""The run in view: its curves, its facts, its log, and what to do next."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cifartui.text import printable
from cifartui.tui.view import RunView
from cifartui.tui.widgets.charts import CurveChart, accuracy_curves, legend, loss_curves
from cifartui.tui.widgets.run_texts import facts_text, notes_text


class RunPanel(Vertical):
    """Curves on the left, facts and log on the right, notes below."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._drawn: RunView | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="upper"):
            with Vertical(id="charts"):
                yield Static(id="loss-title", classes="heading")
                yield CurveChart(widget_id="loss")
                yield Static(id="accuracy-title", classes="heading")
                yield CurveChart(widget_id="accuracy")
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
        loss, accuracy = loss_curves(view.history, view.guessing), accuracy_curves(view.history)
        for name, title, curves in (("loss", "loss", loss), ("accuracy", "accuracy, %", accuracy)):
            self.query_one(f"#{name}", CurveChart).set_curves(curves)
            heading = self.query_one(f"#{name}-title", Static)
            heading.update(legend(title, curves, heading.content_size.width))
        self.query_one("#facts", Static).update(facts_text(view))
        notes = notes_text(view)
        self.query_one("#notes", Static).update(notes)
        self.query_one("#notes").display = bool(notes.plain)
        if before is None or is_other or view.history.log_length != before.history.log_length:
            log = self.query_one("#log", VerticalScroll)
            at_the_end = is_other or log.is_vertical_scroll_end
            self.query_one("#log-lines", Static).update(Content("\n".join(map(printable, view.history.log))))
            if at_the_end:  # who has scrolled back is reading
                log.scroll_end(animate=False)
