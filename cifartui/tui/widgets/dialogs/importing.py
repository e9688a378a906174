"""Import pictures of the user's own: ask for the path, look what is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from cifartui.children import Child
from cifartui.dataset.surveying import Survey
from cifartui.errors import CifartuiError
from cifartui.progress import Progress
from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, Dialog, keys_line
from cifartui.tui.widgets.dialogs.survey import PREVIEWS, Import, SurveyDialog
from cifartui.tui.widgets.paths import PathInput

READABLE = (
    "Import pictures in class folders, or CIFAR's own files: a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz. "
    "train/, val/ and test/ above the class folders are kept apart; without them a fifth becomes the test images."
)


@dataclass
class Looked:
    """What came of looking at a path: what is there, or why nothing can be used."""

    child: Child
    survey: Survey | None = None
    problem: str = ""


class ImportDialog(Dialog[Import]):
    """Ask for a path and show what is there; closes with what is to be imported, and how."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(self, path: str = "", problem: str = "") -> None:
        """Begin with a path that was given before, and with the sentence that says what was wrong with it."""
        super().__init__()
        self._path, self._problem = path, problem
        self._child: Child | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(READABLE))
            yield PathInput(self._path, widget_id="path", placeholder="path of a folder or archive")
            yield Static(id="state", classes="state")
            yield Static(Content(printable(self._problem)), classes="problem")
            yield keys_line(("enter", "looks what is there"), ("tab", "completes"), ("esc", "back"))

    @on(Input.Submitted, "#path")
    def _start(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if not typed or self._child:
            return
        self._path = str(Path(typed).expanduser().absolute())
        self._show(state="looking at the pictures …")
        self._child = Child("cifartui", "dataset", "survey", "--json", "--previews", str(PREVIEWS), "--", self._path)
        self._watch(self._child)

    def _show(self, state: str = "", problem: str = "") -> None:
        self.query_one("#state", Static).update(Content(printable(state)))
        self.query_one(".problem", Static).update(Content(printable(problem)))

    @work(thread=True, group="survey", exit_on_error=False, description="look what there is to import")
    def _watch(self, child: Child) -> None:
        for step in child.progress():
            self.app.call_from_thread(self._progressed, child, step)
        try:
            looked = Looked(child, msgspec.json.decode(child.result(), type=Survey))
        except CifartuiError as error:
            looked = Looked(child, problem=str(error))
        self.app.call_from_thread(self._ended, looked)

    def _progressed(self, child: Child, step: Progress) -> None:
        if child is self._child:
            self._show(state=f"{step.activity}: {step.amount} …")

    def _ended(self, looked: Looked) -> None:
        if looked.child is not self._child:
            return
        self._child = None
        self._show(problem=looked.problem)
        if looked.survey:
            self.app.push_screen(SurveyDialog(self._path, looked.survey), self._take)

    def _take(self, answer: Import | None) -> None:
        if answer:
            self.dismiss(answer)

    def action_cancel(self) -> None:
        """End a look that is under way, or close."""
        if self._child:
            self._child.cancel()
            self._child = None
            self._show()
        else:
            self.dismiss(None)

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()
            self._child = None
