"""The machine: what it can do, what is in the way, why, and what to do, found while one looks on."""

import textwrap
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import LoadingIndicator, Static
from textual.worker import get_current_worker

from cifartui.errors import CifartuiError
from cifartui.machine.finding import MARKS, Finding, State
from cifartui.progress import Progress
from cifartui.text import printable
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.widgets.panel import Panel

STYLES: dict[State, str] = {
    "problem": "bold $error",
    "warning": "bold $warning",
    "ok": "$success",
    "does not apply": "$text-muted",
}
"""In the order in which they stand: what is in the way comes first."""
SUBJECT_CELLS = 18
FRAME_CELLS = 6
"""Border, padding and scroll bar."""


class MachineScreen(CifarScreen):
    """What `cifartui doctor` finds, the problems first."""

    LESSON = "screen.machine"
    CSS_PATH = "machine.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "again", "again", tooltip="Look at the machine once more", id="machine.again"),
        Binding(
            "escape,h,q",
            "close",
            "back",
            tooltip="Go back; looks under way end",
            id="machine.close",
            key_display="esc",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._findings: list[Finding] = []
        self._chosen = ""
        """On which device training runs, once it is known."""
        self._activity = ""
        """What is being looked at; empty at the end."""

    def compose(self) -> ComposeResult:
        with Panel("this machine", id="machine"):
            yield LoadingIndicator()
            with VerticalScroll():
                yield Static(id="chosen")
                yield Static(id="findings")

    def on_mount(self) -> None:
        self.action_again()
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        self._draw()

    def action_again(self) -> None:
        """Look at everything."""
        self._findings, self._chosen, self._activity = [], "", "looking"
        self._draw()
        self._look()

    @work(thread=True, group="machine", exit_on_error=False, description="look at the machine")
    def _look(self) -> None:
        from cifartui.machine.diagnosis import diagnose  # httpx and psutil, which the first frame need not wait for

        worker, work = get_current_worker(), diagnose()
        problem = chosen = ""
        try:
            while not worker.is_cancelled:
                try:
                    step = next(work)
                except StopIteration as end:
                    diagnosis = end.value
                    chosen = f"training runs on {diagnosis.name} ({diagnosis.device}): {diagnosis.reason}"
                    break
                self.app.call_from_thread(self._came, step)
        except CifartuiError as error:
            problem = str(error)
        finally:
            work.close()
        if not worker.is_cancelled:
            self.app.call_from_thread(self._ended, chosen, problem)

    def _came(self, step: Progress | Finding) -> None:
        if isinstance(step, Finding):
            self._findings.append(step)
        elif step.activity == self._activity:
            return
        else:
            self._activity = step.activity
        self._draw()

    def _ended(self, chosen: str, problem: str) -> None:
        self._activity, self._chosen = "", chosen
        if problem:
            self.cifar_app.complain(problem)
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        states = [finding.state for finding in self._findings]
        count = f"{_counted(states, 'problem')}, {_counted(states, 'warning')}"
        state = f"{self._activity} …" if self._activity else count
        self.query_one("#machine", Panel).entitle(f"this machine · {state}")
        self.query_one(LoadingIndicator).display = bool(self._activity)
        chosen = self.query_one("#chosen", Static)
        chosen.update(Content.styled(printable(self._chosen), "bold $primary"))
        chosen.display = bool(self._chosen)
        self.query_one("#findings", Static).update(findings_text(self._findings, self.app.size.width - FRAME_CELLS))
        self.refresh_bindings()

    def action_close(self) -> None:
        """Go back; looks under way end."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        return not self._activity if action == "again" else True


def _counted(states: list[State], state: State) -> str:
    count = states.count(state)
    return f"{count or 'no'} {state}{'s' * (count != 1)}"


def findings_text(findings: list[Finding], columns: int) -> Content:
    """What is in the way first, with why and what to do; what is well, or not here, in a line each."""
    lines: list[Content] = []
    for state, style in STYLES.items():
        for finding in findings:
            if finding.state != state:
                continue
            subject = f"{MARKS[state]} {finding.subject}"
            if state == "does not apply":
                lines += _paragraph(subject, f"{finding.finding}: {finding.cause}", columns, style, style)
                continue
            lines += _paragraph(subject, finding.finding, columns, style)
            if finding.cause:
                lines += _paragraph(f"{'why':>{SUBJECT_CELLS - 2}}", finding.cause, columns, "$text-muted")
            if finding.remedy:
                lines += _paragraph(f"{'do':>{SUBJECT_CELLS - 2}}", finding.remedy, columns, "$primary")
    return Content("\n").join(lines)


def _paragraph(label: str, text: str, columns: int, label_style: str, style: str = "") -> list[Content]:
    """A label and a text beside it, wrapped in a column of its own; below a label that is too long for that."""
    label = printable(label)
    wrapped = textwrap.wrap(printable(text), max(20, columns - SUBJECT_CELLS), break_on_hyphens=False) or [""]
    indent = " " * SUBJECT_CELLS
    rest = [Content.styled(f"{indent}{line}", style) for line in wrapped]
    if len(label) >= SUBJECT_CELLS:
        return [Content.styled(label, label_style), *rest]
    return [Content.assemble((f"{label:<{SUBJECT_CELLS}}", label_style), (wrapped[0], style)), *rest[1:]]
