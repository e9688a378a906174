"""Labs: screens that show what a command finds out in a process of its own, as it comes."""

from typing import Any, ClassVar

import msgspec
from textual import work
from textual.screen import ScreenResultType

from cifartui.children import Child
from cifartui.errors import CifartuiError
from cifartui.tui.screens.base import BaseScreen
from cifartui.tui.widgets.key_line import KeyLine
from cifartui.tui.widgets.notice_line import NoticeLine


class LabScreen(BaseScreen[ScreenResultType]):
    """Starts its command when it opens, and ends it when it closes."""

    RESULTS: ClassVar[Any]
    """The type of what the command prints, one JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        self._child: Child | None = None
        """At work; None once it has ended."""

    def on_mount(self) -> None:
        self.mount(NoticeLine(), KeyLine())
        self.action_again()

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()

    def action_again(self) -> None:
        """Forget what was found and start the command."""
        raise NotImplementedError

    def _start(self, *arguments: str) -> None:
        self._child = Child("cifartui", *arguments)
        self._draw()
        self._watch(self._child)

    @work(thread=True, group="lab", exit_on_error=False, description="watch the command at work")
    def _watch(self, child: Child) -> None:
        decoder = msgspec.json.Decoder(self.RESULTS)
        try:
            for line in child.lines():
                self.app.call_from_thread(self._came, decoder.decode(line))
        except CifartuiError as error:
            self.app.call_from_thread(self._ended, str(error))
        else:
            self.app.call_from_thread(self._ended, "")

    def _came(self, result: Any) -> None:
        """Take a result in and draw."""
        raise NotImplementedError

    def _ended(self, problem: str) -> None:
        self._child = None
        if problem and self.is_mounted:
            self.cifar_app.complain(problem)
        self._draw()

    def _draw(self) -> None:
        """Show what there is; the screen may be gone already."""
        raise NotImplementedError
