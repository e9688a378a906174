"""Small dialogs: import a data set, name a file, change a setting, confirm."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, ProgressBar, Static
from textual.widgets.option_list import Option

from cifartui.dataset.fetching.archives import load_archives
from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.tui.children import ChildCommand

ESCAPE = Binding("escape", "cancel", "cancel", id="dialog.cancel")


CHOICE_CELLS = 64
"""Of a line in a dialog's list."""


class TextDialog(ModalScreen[str]):
    """Ask for one line of text; it stays open with a sentence while `check` finds the text wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(self, title: str, value: str = "", check: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._title, self._value, self._check = title, value, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(self._title))
            yield Input(self._value)
            yield Static(classes="problem")

    @on(Input.Submitted)
    def _accept(self, event: Input.Submitted) -> None:
        try:
            if self._check:
                self._check(event.value)
        except CifartuiError as error:
            self.query_one(".problem", Static).update(Content(printable(str(error))))
            return
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class ConfirmDialog(ModalScreen[bool]):
    """A question answered by one key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "yes", id="dialog.yes"),
        Binding("n,escape", "answer(False)", "no", id="dialog.no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(f"{self._question}\n\ny yes   n no"))

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)


class TextScreen(ModalScreen[None]):
    """A longer text to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back", id="text.back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog reading"):
            yield Label(Content.styled(f"{self._title}   esc back", "bold"))
            yield Static(Content(self._text))


class ChoiceDialog(ModalScreen[str]):
    """Choose one of a list, or type something else where that is possible; closes with what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(self, title: str, choices: list[tuple[str, str]], other: str = "") -> None:
        super().__init__()
        self._title, self._choices, self._other = title, choices, other

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content(printable(self._title)))
            yield OptionList(
                *(
                    Option(Content(_one_line(text)), id=f"choice{place}")
                    for place, (_, text) in enumerate(self._choices)
                )
            )
            if self._other:
                yield Label(Content(f"{self._other} (tab):"))
                yield Input()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def _one_line(text: str) -> str:
    return printable(text if len(text) <= CHOICE_CELLS else f"{text[: CHOICE_CELLS - 1]}…")


class FetchDialog(ModalScreen[tuple[str, str]]):
    """Which published data set to fetch, and from where if not from its sources; closes with both."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def compose(self) -> ComposeResult:
        archives = {archive.dataset: archive for archive in reversed(load_archives())}
        with Vertical(classes="dialog"):
            yield Label(Content("Fetch a published data set; what comes is verified"))
            yield OptionList(
                *(
                    Option(
                        Content(f"{name:<10} {archive.bytes / 1e6:,.0f} MB · {len(archive.sources)} sources"), id=name
                    )
                    for name, archive in sorted(archives.items())
                ),
                id="archives",
            )
            yield Label(Content("from an https address or a file instead (tab, optional):"))
            yield Input(placeholder="https://… or a path", id="source")

    @on(OptionList.OptionSelected, "#archives")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._answer(event.option_id)

    @on(Input.Submitted, "#source")
    def _submitted(self) -> None:
        option = self.query_one("#archives", OptionList).highlighted_option
        self._answer(option.id if option else None)

    def _answer(self, name: str | None) -> None:
        if name:
            self.dismiss((name, self.query_one("#source", Input).value.strip()))

    def action_cancel(self) -> None:
        """Close without fetching."""
        self.dismiss(None)


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
            yield Input(placeholder="path", id="path")
            yield Label("Name of the data set here:")
            yield Input(placeholder="name", id="name")
            yield ProgressBar(id="bar", show_eta=True)
            yield Static(classes="problem")

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
