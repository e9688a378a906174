"""The first start: what this is, what there is to train on, what is on disk, and two ways on."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from cifartui.dataset.store import prepared_names
from cifartui.tui.guide import remember_welcome
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.welcome_texts import WHAT, disk_text, gpu_text, ways_text


class WelcomeScreen(CifarScreen):
    """Shown once, while there are no runs."""

    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "guide", "show me", tooltip="Go the whole path once, explained step by step", id="welcome.guide"
        ),
        Binding(
            "escape", "close", "straight to work", tooltip="Begin on your own, at the data sets", id="welcome.close"
        ),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Panel("cifartui", Static(WHAT, id="what"))
            yield Panel("to train on", Static(gpu_text(None), id="gpu"))
            yield Panel("on disk", Static(id="disk"))
            yield Panel("and now", Static(id="ways"))

    def on_mount(self) -> None:
        self.watch(self.app, "dataset_name", self._show_disk)
        self.query_one("#ways", Static).update(ways_text())
        self._look()

    def _show_disk(self) -> None:
        self.query_one("#disk", Static).update(disk_text(prepared_names()))

    @work(thread=True, group="welcome", exit_on_error=False, description="look for a GPU")
    def _look(self) -> None:
        from cifartui.machine.computer import look_at_computer  # psutil, which the first frame need not wait for
        from cifartui.machine.diagnosis import look_at_drivers

        worker, work = get_current_worker(), look_at_drivers()
        while not worker.is_cancelled:
            try:
                next(work)
            except StopIteration as end:
                found = gpu_text(end.value, look_at_computer())
                self.app.call_from_thread(self._found, found)
                return
        work.close()

    def _found(self, found: Content) -> None:
        self.query_one("#gpu", Static).update(found)

    def action_guide(self) -> None:
        """Go the whole path, explained."""
        remember_welcome()
        self.dismiss()
        self.cifar_app.guide()

    def action_close(self) -> None:
        """Begin on one's own."""
        remember_welcome()
        self.dismiss()
