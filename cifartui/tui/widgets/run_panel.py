"""The run in view: its curves, its facts, its log, and what to do next."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from cifartui.text import printable
from cifartui.training.run.controls import AnyControl
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView
from cifartui.tui.widgets.charts import CurveChart, accuracy_figure, legend, loss_figure, reading_text
from cifartui.tui.widgets.control_texts import controls_text
from cifartui.tui.widgets.device_panel import DevicePanel
from cifartui.tui.widgets.learning import Learning
from cifartui.tui.widgets.run_texts import facts_text, notes_text

REDRAW_SECONDS = 0.5
"""Between two drawings of the charts; drawing takes milliseconds that a busy machine would rather train with."""
CHARTS = {"loss": "loss", "accuracy": "accuracy, %"}
"""Their titles."""


class RunPanel(Vertical):
    """Curves on the left, facts, device and log on the right, notes below."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._drawn: RunView | None = None
        self._drawing: Timer | None = None
        """Until the charts are drawn again; None while they show all that is known."""
        self._sent: list[AnyControl] = []
        """Commands that the run in view has not answered yet."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="upper"):
            with Vertical(id="charts"):
                for name in CHARTS:
                    yield Static(id=f"{name}-title", classes="heading")
                    yield CurveChart(widget_id=name)
            with Vertical(id="side"):
                yield Static("run", classes="heading")
                yield Static(id="facts")
                yield Static("device", id="device-title", classes="heading")
                yield DevicePanel(widget_id="device")
                yield Static("log", id="log-title", classes="heading")
                with VerticalScroll(id="log"):
                    yield Static(id="log-lines")
        yield Learning(id="learning")
        yield Static(id="controls")
        yield Static(id="notes")

    def show(self, view: RunView) -> None:
        """Draw a run as far as it is known; what has not changed is left alone."""
        before, self._drawn = self._drawn, view
        is_other = before is None or before.run.id != view.run.id
        if is_other:
            self._draw_charts()
        elif before and view.history != before.history and self._drawing is None:
            self._drawing = self.set_timer(REDRAW_SECONDS, self._draw_charts)
        self.query_one(Learning).show(view)
        self._write("facts", facts_text(view))
        self.query_one(DevicePanel).show(view)
        self.query_one("#device-title").set_class(view.history.started is None, "-unknown")
        answered = {answer.id for answer in view.history.controls}
        is_same = before is not None and before.history.started == view.history.started and not is_other
        waits = is_same and view.state in LIVING
        self._sent = [control for control in self._sent if waits and control.id not in answered]
        self._draw_controls(view)
        notes = notes_text(view)
        self._write("notes", notes)
        self.query_one("#notes").display = bool(notes.plain)
        if before is None or is_other or view.history.log_length != before.history.log_length:
            self.query_one("#log-lines", Static).update(Content("\n".join(map(printable, view.history.log))))
        if is_other:
            self.query_one("#log", VerticalScroll).anchor()  # at its end, until who reads scrolls back

    def _draw_charts(self) -> None:
        self._drawing = None
        if self._drawn:
            view = self._drawn
            self.query_one("#loss", CurveChart).show(loss_figure(view.history, view.guessing))
            self.query_one("#accuracy", CurveChart).show(accuracy_figure(view.history))
            self._draw_legends()

    @on(CurveChart.Looked)
    def _look_together(self, message: CurveChart.Looked) -> None:
        """Both charts show the same steps."""
        message.stop()
        for chart in self.query(CurveChart):
            is_log = message.look.is_log if chart is message.chart else chart.look.is_log
            chart.look = message.look._replace(is_log=is_log)
        self._draw_legends()

    def show_sent(self, control: AnyControl) -> None:
        """Tell of a command that was sent to the run in view."""
        self._sent.append(control)
        if self._drawn:
            self._draw_controls(self._drawn)

    def _draw_controls(self, view: RunView) -> None:
        text = controls_text(view.history, self._sent, self.size.width - 2)
        self._write("controls", text)
        self.query_one("#controls").display = bool(text.plain) and view.state in LIVING

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_legends)

    def _draw_legends(self) -> None:
        for name, title in CHARTS.items():
            heading, chart = self.query_one(f"#{name}-title"), self.query_one(f"#{name}", CurveChart)
            if chart.look.cursor is None:
                fact = legend(chart.figure, heading.content_size.width - len(title) - 3)
            else:
                fact = reading_text(chart.figure, chart.look.cursor)
            self._write(f"{name}-title", Content.assemble((title, "bold $primary"), "   ", fact))

    def _write(self, widget: str, text: Content) -> None:
        """Give a text to its widget, unless it stands there already: it would be laid out again ten times a second."""
        static = self.query_one(f"#{widget}", Static)
        before = static.content
        if not (isinstance(before, Content) and before.is_same(text)):
            static.update(text)
