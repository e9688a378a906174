"""The training screen: the recipe before a run, the curves and controls of one."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher

from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.training.launch import start_run
from cifartui.training.run.controls import AnyControl, Pause, Resume, SaveCheckpoint, Stop
from cifartui.training.run.folder import living_run
from cifartui.training.run.follow import tell
from cifartui.training.run.states import LIVING, RunState
from cifartui.tui.run_plan import InHand
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.screens.runs import RunsScreen
from cifartui.tui.view import RunView
from cifartui.tui.widgets.dialogs import ConfirmDialog
from cifartui.tui.widgets.plan_panel import PlanPanel
from cifartui.tui.widgets.run_panel import RunPanel
from cifartui.tui.widgets.run_texts import stop_question


class TrainingScreen(NounScreen):
    """Set up a run, or watch and steer the one in view."""

    NOUN = "training"
    CSS_PATH = "training.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "change", "change", tooltip="Change the setting under the cursor", id="training.change"),
        Binding(
            "backspace,delete",
            "take_back",
            "unset",
            tooltip="Take the change of the setting under the cursor back",
            id="training.unset",
            key_display="⌫",
        ),
        Binding("r", "recipe", "recipe", tooltip="Choose a recipe", id="training.recipe"),
        Binding(
            "space",
            "pause",
            "pause",
            tooltip="Hold the run where it is; space again lets it go on",
            id="training.pause",
        ),
        Binding("space", "resume", "resume", tooltip="Let the held run go on", id="training.resume"),
        Binding(
            "c", "checkpoint", "checkpoint", tooltip="Save the weights now, as a checkpoint", id="training.checkpoint"
        ),
        Binding("s", "stop", "stop", tooltip="End the run with a checkpoint; you are asked first", id="training.stop"),
        Binding("o", "runs", "runs", tooltip="Choose the run to look at, living or ended", id="training.runs"),
        Binding("n", "new", "new run", tooltip="Set up another run", id="training.new"),
        Binding("escape", "back", "curves", tooltip="Go back to the curves of the run", id="training.back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown_run: str | None = None
        self._shown_state: RunState | None = None

    def compose_body(self) -> ComposeResult:
        with ContentSwitcher(initial="setup"):
            yield PlanPanel(widget_id="setup")
            yield RunPanel(widget_id="live")

    def on_mount(self) -> None:
        self.watch(self.app, "run_view", self._show_run)

    def on_screen_resume(self) -> None:
        if self.query_one(ContentSwitcher).current == "setup":
            self.query_one(PlanPanel).refresh_plan()  # networks and data sets may have come or gone
        self.refresh_bindings()

    # BEFORE A RUN

    @on(PlanPanel.Planned)
    def _planned(self) -> None:
        self.refresh_bindings()

    def action_recipe(self) -> None:
        """Choose a recipe."""
        self.query_one(PlanPanel).ask_for_recipe()

    def action_change(self) -> None:
        """Ask for a new value of the setting under the cursor."""
        self.query_one(PlanPanel).ask_for_value()

    def action_take_back(self) -> None:
        """Give the setting under the cursor the recipe's own value again."""
        self.query_one(PlanPanel).take_back()

    def action_start(self) -> None:
        """Start a run with these settings; what is being started is not started twice."""
        if any(worker.group == "start" and worker.is_running for worker in self.workers):
            return
        panel = self.query_one(PlanPanel)
        if ":" in panel.asked.recipe.network:
            self.cifar_app.tell(f"Running {panel.asked.recipe.network} once, to see whether it fits.")
        self._start_run(panel.asked, panel.dataset)

    @work(thread=True, group="start", exclusive=True, exit_on_error=False, description="start a run")
    def _start_run(self, asked: InHand, dataset: str) -> None:
        panel = self.query_one(PlanPanel)
        try:
            if living := living_run():
                raise CifartuiError(f"Run {living.id} is still there, and two would slow each other; o shows it.")
            config = asked.config(dataset)
            run, _ = start_run(config)
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(panel.refuse, str(failure(error)))
        else:
            self.app.call_from_thread(self.cifar_app.follow_run, run)

    # A RUN IN VIEW

    def _show_run(self, view: RunView | None) -> None:
        if view is None:
            self._switch("setup")
            return
        if view.run.id != self._shown_run:
            self._shown_run = view.run.id
            self._switch("live")
        self.query_one(RunPanel).show(view)
        if view.state != self._shown_state:  # not at every report: the line of keys would flicker
            self._shown_state = view.state
            self.refresh_bindings()

    def _switch(self, pane: str) -> None:
        self.query_one(ContentSwitcher).current = pane
        if pane == "setup":
            self.query_one("#settings").focus()
        self.refresh_bindings()

    def _command(self, control: AnyControl) -> None:
        view = self.cifar_app.run_view
        if view and view.state in LIVING:
            try:
                tell(view.run, view.history, control)
            except CifartuiError as error:
                self.cifar_app.complain(str(error))

    def action_pause(self) -> None:
        """Hold the run where it is."""
        self._command(Pause())

    def action_resume(self) -> None:
        """Let a paused run go on."""
        self._command(Resume())

    def action_checkpoint(self) -> None:
        """Save a checkpoint now."""
        self._command(SaveCheckpoint())

    def action_stop(self) -> None:
        """End the run, once that is confirmed."""
        view = self.cifar_app.run_view
        if view:
            dialog = ConfirmDialog(stop_question(view.history))
            self.app.push_screen(dialog, lambda answer: self._command(Stop()) if answer else None)

    def action_runs(self) -> None:
        """Show all runs."""
        self.app.push_screen(RunsScreen())

    def action_new(self) -> None:
        """Set up another run."""
        self._switch("setup")

    def action_back(self) -> None:
        """Go back to the curves of the run in view."""
        if self.cifar_app.run_view:
            self._switch("live")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if not self.is_mounted:
            return True
        setup = self.query_one(ContentSwitcher).current == "setup"
        view = self.cifar_app.run_view
        living = bool(view and view.state in LIVING)
        if action in ("start", "change", "recipe"):
            return setup and not (living and action == "start")
        if action == "take_back":
            selected = self.query_one(PlanPanel).selected
            return setup and selected is not None and selected.changed
        if action in ("pause", "resume"):
            paused = bool(view and view.history.paused)
            return living and not setup and paused == (action == "resume")
        if action in ("checkpoint", "stop"):
            return living and not setup
        if action == "new":
            return not setup and not living
        if action == "back":
            return setup and view is not None
        return True
