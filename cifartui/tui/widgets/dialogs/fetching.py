"""Which published data set to fetch, and from where."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from cifartui.dataset.fetching.archives import load_archives
from cifartui.text import printable
from cifartui.tui.widgets.dialogs.base import ESCAPE, Dialog, keys_line
from cifartui.tui.widgets.paths import PathInput


class FetchDialog(Dialog[tuple[str, str]]):
    """Which published data set to fetch, and from where if not from its sources; closes with both."""

    BINDINGS: ClassVar[list[BindingType]] = [ESCAPE]

    def __init__(self, name: str = "", source: str = "", problem: str = "") -> None:
        """Begin with what was asked for before, and with the sentence that says why it did not come."""
        super().__init__()
        self._name, self._source, self._problem = name, source, problem

    def compose(self) -> ComposeResult:
        archives = {archive.dataset: archive for archive in reversed(load_archives())}
        self._names = sorted(archives)
        with Vertical(classes="dialog"):
            yield Label(
                Content("Fetch a published data set; what comes is verified, what came stays if it is cut short")
            )
            yield OptionList(
                *(
                    Option(
                        Content(
                            f"{name:<10} {archives[name].bytes / 1e6:,.0f} MB from the best of "
                            f"{len(archives[name].sources)} source{'s' * (len(archives[name].sources) != 1)}"
                        ),
                        id=name,
                    )
                    for name in self._names
                ),
                id="archives",
            )
            yield Label(Content("or from an https address, or a file that you have brought:"))
            yield PathInput(self._source, widget_id="source", placeholder="https://… or a path (optional)")
            yield Static(Content(printable(self._problem)), classes="problem")
            yield keys_line(("enter", "fetches"), ("tab", "to the line; completes a path"), ("esc", "back"))

    def on_mount(self) -> None:
        if self._name in self._names:
            self.query_one("#archives", OptionList).highlighted = self._names.index(self._name)

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
