"""Import a folder or archive of pictures."""

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, ProgressBar, Static

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.tui.children import ChildCommand
from cifartui.tui.widgets.dialogs.base import ESCAPE, keys_line
from cifartui.tui.widgets.paths import PathInput


class ImportDialog(ModalScreen[str]):
    """Import a folder or archive; closes with the name of the new data set."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(self) -> None:
        super().__init__()
        self._child: ChildCommand | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(
                Content("Import class folders or CIFAR-10's own files\n\nFolder, .tar, .tar.gz, .tar.xz or .zip:")
            )
            yield PathInput(widget_id="path")
            yield Label("Name of the data set here:")
            yield Input(placeholder="name", id="name")
            yield ProgressBar(id="bar", show_eta=True)
            yield Static(classes="problem")
            yield keys_line(("enter", "goes on"), ("tab", "completes"), ("esc", "back"))

    def on_mount(self) -> None:
        self.query_one(ProgressBar).display = False

    @on(Input.Submitted, "#path")
    def _suggest_name(self, event: Input.Submitted) -> None:
        name = self.query_one("#name", Input)
        if not name.value:
            name.value = Path(event.value.strip()).name.split(".")[0]
        name.focus()

    @on(Input.Submitted, "#name")
    def _start(self) -> None:
        if self._child:
            return
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        self.query_one(".problem", Static).update("")
        self.query_one(ProgressBar).display = True
        self._child = ChildCommand(
            "dataset", "import", "--json", "--name", self.query_one("#name", Input).value.strip(), "--", str(path)
        )
        self._watch(self._child)

    @work(thread=True, group="import", exit_on_error=False, description="import a data set")
    def _watch(self, child: ChildCommand) -> None:
        bar = self.query_one(ProgressBar)
        for step in child.progress():
            self.app.call_from_thread(bar.update, total=step.total, progress=step.done)
        try:
            child.result()
        except CifartuiError as error:
            self.app.call_from_thread(self._refuse, str(error))
        else:
            self.app.call_from_thread(self.dismiss, self.query_one("#name", Input).value.strip())

    def _refuse(self, sentence: str) -> None:
        self._child = None
        self.query_one(ProgressBar).display = False
        self.query_one(".problem", Static).update(Content(printable(sentence)))

    def action_cancel(self) -> None:
        """Close, and end an import that is under way."""
        self.dismiss(None)

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()
