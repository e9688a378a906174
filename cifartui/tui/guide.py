"""The guided path of a first start: from pictures to an evaluated network, on the sketches, a step at a time."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import App
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from cifartui import home
from cifartui.dataset.store import SKETCHES, prepared_names
from cifartui.training.run.states import LIVING

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp

STEPS = ("dataset", "model", "settings", "training", "evaluation", "end")
"""The lessons `guide.…`, in the order of the path."""
SCREENS = {"settings": "training", "end": "evaluation"}
"""Of the steps that are not called as their screen."""


def welcomed_file() -> Path:
    """What is there once the first start was seen."""
    return home.home() / "welcomed"


def remember_welcome() -> None:
    """Do not show the first start again; where nothing can be written it comes again until there is a run."""
    with suppress(OSError):
        home.home().mkdir(mode=0o700, parents=True, exist_ok=True)
        welcomed_file().touch()


class Guided(App[None]):
    """An app with a guided path, which can be left at any time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "guide_on", "next step", tooltip="Go on to the next step of the guided path", id="guide.next"),
        Binding("escape", "guide_end", "leave path", tooltip="Leave the guided path, and stay here", id="guide.close"),
    ]

    guide_step: reactive[str | None] = reactive(None)
    """Where on the guided path the user is; None if not on it."""

    def guide(self) -> None:
        """Begin the path, on the sketches; where these are being drawn, they come into hand when they are."""
        app = cast("CifarApp", self)
        if SKETCHES in prepared_names():
            app.dataset_name = SKETCHES
        self._step_to("dataset")

    def action_guide_on(self) -> None:
        """Go on: a run is started after its settings were shown, and evaluated once it has ended."""
        from cifartui.tui.screens.training import TrainingScreen

        app, step = cast("CifarApp", self), self.guide_step
        if step is None:
            return
        if step == "settings" and isinstance(self.screen, TrainingScreen):
            self.screen.action_start()
        if step == "training" and app.run_view and app.run_view.state in LIVING:
            app.tell("The run still trains; the next step is to see how good it has become.")
            return
        place = STEPS.index(step) + 1
        if place < len(STEPS):
            self._step_to(STEPS[place])
        else:
            self.action_guide_end()

    def action_guide_end(self) -> None:
        """Leave the path."""
        self.guide_step = None
        self.refresh_bindings()

    def _step_to(self, step: str) -> None:
        self.guide_step = step
        self.run_worker(self._show_step(step), group="guide", exclusive=True)

    async def _show_step(self, step: str) -> None:
        from cifartui.tui.screens.training import TrainingScreen

        app = cast("CifarApp", self)
        await self.switch_mode(SCREENS.get(step, step))
        if step == "settings" and isinstance(self.screen, TrainingScreen) and app.run_view:
            self.screen.action_new()
        self.refresh_bindings()
        if step not in ("training", "end") and not self.screen.has_class("-wide"):  # where the panel has no room
            self.call_after_refresh(app.action_help)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The path's keys are there on the four screens, while it is walked."""
        if action in ("guide_on", "guide_end"):
            return self.guide_step is not None and len(self.screen_stack) == 1
        return super().check_action(action, parameters)
