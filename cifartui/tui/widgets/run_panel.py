"""The cockpit of the run in view: its curves, its facts, its device, its log, and what to do next."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from cifartui.text import printable
from cifartui.training.run.controls import AnyControl
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView
from cifartui.tui.widgets.charts import CurveChart, accuracy_figure, legend, loss_figure, reading_text
from cifartui.tui.widgets.control_texts import controls_text
from cifartui.tui.widgets.device_panel import DevicePanel
from cifartui.tui.widgets.learning import Learning
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.run_texts import facts_lines, facts_text, notes_text
from cifartui.tui.widgets.writing import write

REDRAW_SECONDS = 1.0
"""Between two drawings of the charts; drawing takes milliseconds that a busy machine would rather train with."""
WRITE_SECONDS = 0.5
"""Between two writings of numbers that rise all the time: faster, nobody reads them."""
LEARNING_SECONDS = 4.0
"""Between two drawings of filters and answers: each of their cells has two colours, in all more than 10 kB."""
CHARTS = {"loss": "loss", "accuracy": "accuracy, %"}
"""Their titles."""
PARTS = ("loss", "accuracy", "learning", "run", "device", "log")
"""In their order; where there is no room for all, they take turns in the place of the charts."""
EDGE_CELLS = 6
"""Of a panel's lower edge, on which no fact can stand."""


class RunPanel(Vertical):
    """Curves on the left, facts, device and log on the right, notes below; on small terminals one part at a time."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._drawn: RunView | None = None
        self._part = PARTS[0]
        """The one that was chosen last."""
        self._drawing: Timer | None = None
        """Until the charts are drawn again; None while they show all that is known."""
        self._learning: Timer | None = None
        """Until filters and answers are drawn again."""
        self._writing: Timer | None = None
        """Until the numbers are written again."""
        self._sent: list[AnyControl] = []
        """Commands that the run in view has not answered yet."""

    def compose(self) -> ComposeResult:
        yield Static(id="parts")
        with Horizontal(id="cockpit"):
            with Vertical(id="charts"):
                for name, title in CHARTS.items():
                    yield Panel(title, CurveChart(widget_id=name), id=f"{name}-panel", classes="-bare")
            with Vertical(id="side"):
                yield Panel("run", Static(id="facts"), id="run-panel", classes="-bare")
                yield Panel("device", DevicePanel(widget_id="device"), id="device-panel", classes="-bare")
                yield Panel("log", VerticalScroll(Static(id="log-lines"), id="log"), id="log-panel", classes="-bare")
        yield Learning(id="learning-panel")
        yield Static(id="controls")
        yield Static(id="notes")

    def on_mount(self) -> None:
        self._arrange()

    # WHAT STANDS WHERE

    @property
    def _shows_one(self) -> bool:
        return self.screen.has_class("-narrow")

    @property
    def _shows_all(self) -> bool:
        return self.screen.has_class("-wide") and self.screen.has_class("-tall")

    @property
    def _parts(self) -> list[str]:
        """Those that there are for the run in view."""
        learning = self._drawn is not None and self._drawn.glimpse is not None
        return [part for part in PARTS if learning or part != "learning"]

    @property
    def part(self) -> str:
        """The one that was chosen last."""
        return self._part

    @property
    def is_read(self) -> bool:
        """Whether values of the chosen chart are read with a cursor."""
        return self._part in CHARTS and self.query_one(f"#{self._part}", CurveChart).look.cursor is not None

    def choose_part(self, way: int) -> None:
        """Go on to the next part, or back to the one before: bring it into view, and give it the focus."""
        waits = () if self._shows_all else ("learning",)
        there = [part for part in self._parts if self._shows_one or part in waits or self._focus_of(part)]
        place = there.index(self._part) if self._part in there else -way
        self._part = there[(place + way) % len(there)]
        self._arrange()
        self.focus_part()
        self.call_after_refresh(self._write_all)

    def focus_part(self) -> None:
        """Give the chosen part the focus, or none of them where that has nothing to choose in."""
        self.screen.set_focus(self._focus_of(self._part))

    def _focus_of(self, part: str) -> Widget | None:
        return next((widget for widget in self.query_one(f"#{part}-panel").query("*") if widget.can_focus), None)

    def on_resize(self) -> None:
        self._arrange()
        self.call_after_refresh(self._write_all)

    def _arrange(self) -> None:
        there = self._parts
        self._part = self._part if self._part in there else PARTS[0]
        shows_one, shows_all = self._shows_one, self._shows_all
        always = ("run", "log") if shows_one else ("loss", "run", "device", "log")
        if not shows_one and self._part != "learning":
            always = (*always, "accuracy")
        for part in PARTS:
            panel = self.query_one(f"#{part}-panel")
            panel.set_class(shows_one and part == self._part, "-chosen")
            panel.display = part in there and (shows_all or part in always or part == self._part)
        charts_seen = not shows_one or self._part in CHARTS
        self.query_one("#charts").display = charts_seen
        self.query_one("#side").set_class(not charts_seen and self._part != "learning", "-chosen")
        self.query_one("#cockpit").set_class(self._part == "learning", "-beside-learning")
        self.query_one("#parts").display = shows_one

    # WHAT IS SAID

    def show(self, view: RunView) -> None:
        """Draw a run as far as it is known; what has not changed is left alone."""
        before, self._drawn = self._drawn, view
        is_other = before is None or before.run.id != view.run.id
        if before is None or is_other or (view.glimpse is None, view.state) != (before.glimpse is None, before.state):
            self._show_learning()
            self._arrange()
        elif view.glimpse != before.glimpse and self._learning is None:
            self._learning = self.set_timer(LEARNING_SECONDS, self._show_learning)
        if before is None or is_other:
            self._sent = []
            self._draw_charts()
            self._write_all()
            self.query_one("#log", VerticalScroll).anchor()  # at its end, until who reads scrolls back
            return
        answered = {answer.id for answer in view.history.controls}
        waits = before.history.started == view.history.started and view.state in LIVING
        self._sent = [control for control in self._sent if waits and control.id not in answered]
        if view.history != before.history and self._drawing is None:
            self._drawing = self.set_timer(REDRAW_SECONDS, self._draw_charts)
        if _happened(view) != _happened(before):
            self._write_all()
        elif self._writing is None:
            self._writing = self.set_timer(WRITE_SECONDS, self._write_all)

    def _show_learning(self) -> None:
        self._learning = None
        if self._drawn:
            self.query_one(Learning).show(self._drawn)

    def show_sent(self, control: AnyControl) -> None:
        """Tell of a command that was sent to the run in view."""
        self._sent.append(control)
        self._write_all()

    def _write_all(self) -> None:
        if self._writing:
            self._writing.stop()
        self._writing, view = None, self._drawn
        if view is None:
            return
        facts = facts_text(view)
        if self._shows_one and self._part != "run":
            facts = facts_lines(view, self.size.width - 2)
        self._write("facts", facts)
        self.query_one(DevicePanel).show(view)
        controls = controls_text(view.history, self._sent, self.size.width - 2)
        self._write("controls", controls)
        self.query_one("#controls").display = bool(controls.plain) and view.state in LIVING
        notes = notes_text(view)
        self._write("notes", notes)
        self.query_one("#notes").display = bool(notes.plain)
        self._write("log-lines", Content("\n".join(map(printable, view.history.log))))
        self._write_legends()

    def _write(self, widget: str, text: Content) -> None:
        write(self.query_one(f"#{widget}", Static), text)

    # THE CHARTS

    def _draw_charts(self) -> None:
        self._drawing = None
        if self._drawn:
            view = self._drawn
            self.query_one("#loss", CurveChart).show(loss_figure(view.history, view.guessing))
            self.query_one("#accuracy", CurveChart).show(accuracy_figure(view.history))
            self._write_legends()

    @on(CurveChart.Looked)
    def _look_together(self, message: CurveChart.Looked) -> None:
        """Both charts show the same steps."""
        message.stop()
        for chart in self.query(CurveChart):
            is_log = message.look.is_log if chart is message.chart else chart.look.is_log
            chart.look = message.look._replace(is_log=is_log)
        self._write_legends()

    def _write_legends(self) -> None:
        for name in CHARTS:
            panel, chart = self.query_one(f"#{name}-panel", Panel), self.query_one(f"#{name}", CurveChart)
            hint = self._next_part() if name != "loss" or self._part == "learning" else Content()
            said = self._legend(chart, panel.size.width - EDGE_CELLS - hint.cell_length)
            panel.say(Content.assemble(said, hint))
        if self._shows_one:
            self._write("parts", self._parts_text())

    def _next_part(self) -> Content:
        """The key that brings what there is no room for, and its name."""
        if self._shows_all or "learning" not in self._parts:
            return Content()
        hidden = "accuracy" if self._part == "learning" else "filters and answers"
        return Content.assemble("   ", ("tab", "bold $accent"), f" {hidden}")

    def _legend(self, chart: CurveChart, cells: int) -> Content:
        if chart.look.cursor is None:
            return legend(chart.figure, cells)
        return reading_text(chart.figure, chart.look.cursor)

    def _parts_text(self) -> Content:
        """What the parts are called, which is in view, and what its marks mean."""
        names = Content(" ").join(
            [Content.styled(part, "bold $accent reverse" if part == self._part else "$quiet") for part in self._parts]
        )
        names = Content.assemble(names, ("  tab", "bold $accent"))
        if self._part not in CHARTS:
            return names
        chart, room = self.query_one(f"#{self._part}", CurveChart), self.size.width - 2
        if chart.look.cursor is not None:
            return self._legend(chart, room)
        return Content.assemble(names, "   ", self._legend(chart, room - names.cell_length - 3))


def _happened(view: RunView) -> tuple[object, ...]:
    """What is told at once when it changes, unlike numbers that rise all the time."""
    history = view.history
    return view.state, view.problem, view.stalled, history.controls, history.trouble, history.warning, history.paused
