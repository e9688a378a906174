"""The training screen: the recipe before a run, the curves and controls of one."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, DataTable, Static

from cifartui.dataset.store import SKETCHES
from cifartui.errors import CifartuiError, explain
from cifartui.model.network import load_network
from cifartui.text import printable
from cifartui.training.controls import Command, send
from cifartui.training.launch import DEFAULT_SEED, plan_run, start_run
from cifartui.training.recipe import load_recipe, override, recipe_names, settings
from cifartui.training.run import LIVING, RunState
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.screens.runs import RunsScreen
from cifartui.tui.view import RunView
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog
from cifartui.tui.widgets.run_panel import RunPanel

SEED = "seed"
DEVICE = "device"
DEVICES = ("auto", "cpu", "cuda")
OUTSIDE_RECIPE = {
    SEED: "Where all random numbers start: the same seed gives the same losses.",
    DEVICE: "auto takes a GPU that can be used, and says why if there is none; cpu and cuda insist.",
}


class TrainingScreen(NounScreen):
    """Set up a run, or watch and steer the one in view."""

    NOUN = "training"
    CSS_PATH = "training.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "start", "start", tooltip="Start training with these settings", id="training.start", priority=True
        ),
        Binding("v", "change", "change", tooltip="Change the setting under the cursor", id="training.change"),
        Binding(
            "r",
            "next_recipe",
            "recipe",
            tooltip="Take the next of the recipes that come with the program",
            id="training.recipe",
        ),
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
        self._seed, self._device = DEFAULT_SEED, "auto"
        self._shown_run: str | None = None
        self._shown_state: RunState | None = None

    def compose_body(self) -> ComposeResult:
        with ContentSwitcher(initial="setup"):
            with Vertical(id="setup"):
                yield Static(id="plan", classes="heading")
                yield DataTable(id="settings", cursor_type="row", show_header=False)
                yield Static(id="explanation")
            yield RunPanel(widget_id="live")

    def on_mount(self) -> None:
        table = self.query_one("#settings", DataTable)
        table.add_columns("setting", "value")
        self.watch(self.app, "recipe", self._fill_settings)
        self.watch(self.app, "run_view", self._show_run)
        self.watch(self.app, "dataset_name", self._show_plan)

    def on_screen_resume(self) -> None:
        self.refresh_bindings()

    # BEFORE A RUN

    def _fill_settings(self) -> None:
        table = self.query_one("#settings", DataTable)
        row = table.cursor_row
        table.clear()
        for setting in settings(self.cifar_app.recipe):
            table.add_row(setting.key, setting.value, key=setting.key)
        table.add_row(SEED, str(self._seed), key=SEED)
        table.add_row(DEVICE, self._device, key=DEVICE)
        table.move_cursor(row=row)
        self._show_plan(self.cifar_app.dataset_name)

    def _show_plan(self, dataset: str | None) -> None:
        text = (
            f"recipe {self.cifar_app.recipe_name} · data set {dataset or SKETCHES} · enter starts, v changes a setting"
        )
        self.query_one("#plan", Static).update(Content(text))

    @on(DataTable.RowHighlighted, "#settings")
    def _explain(self, event: DataTable.RowHighlighted) -> None:
        key = event.row_key.value if event.row_key else None
        texts = {setting.key: setting.explanation for setting in settings(self.cifar_app.recipe)} | OUTSIDE_RECIPE
        self.query_one("#explanation", Static).update(Content(texts.get(key or "", "")))

    def action_next_recipe(self) -> None:
        """Take the next of the recipes that come with the program."""
        names = recipe_names()
        self.cifar_app.recipe_name = names[(names.index(self.cifar_app.recipe_name) + 1) % len(names)]
        self.cifar_app.recipe = load_recipe(self.cifar_app.recipe_name)

    def action_change(self) -> None:
        """Ask for a new value of the setting under the cursor."""
        table = self.query_one("#settings", DataTable)
        key = str(table.get_row_at(table.cursor_row)[0])
        value = str(table.get_row_at(table.cursor_row)[1])
        self.app.push_screen(TextDialog(key, value, lambda text: self._changed(key, text)))

    def _changed(self, key: str, text: str) -> None:
        """Take a setting's new value; raises the sentence that says why it is not allowed."""
        if key == SEED:
            if not text.strip().isdecimal():
                raise CifartuiError(f"seed = {printable(text, 40)!r} is not allowed: a whole number is expected.")
            self._seed = int(text)
        elif key == DEVICE:
            if text not in DEVICES:
                raise CifartuiError(
                    f"device = {printable(text, 40)!r} is not allowed: choose one of {', '.join(DEVICES)}."
                )
            self._device = text
        else:
            if key == "network":
                load_network(text.strip())
            self.cifar_app.recipe = override(self.cifar_app.recipe, [f"{key}={text}"])
        self._fill_settings()

    def action_start(self) -> None:
        """Start a run with these settings; what is being started is not started twice."""
        if any(worker.group == "start" and worker.is_running for worker in self.workers):
            return
        if ":" in self.cifar_app.recipe.network:
            self.cifar_app.tell(f"Running {self.cifar_app.recipe.network} once, to see whether it fits.")
        self._start_run(
            self.cifar_app.recipe_name,
            self.cifar_app.dataset_name or SKETCHES,
            [f"{setting.key}={setting.value}" for setting in settings(self.cifar_app.recipe)],
        )

    @work(thread=True, group="start", exclusive=True, exit_on_error=False, description="start a run")
    def _start_run(self, recipe: str, dataset: str, assignments: list[str]) -> None:
        try:
            config = plan_run(
                recipe=recipe,
                dataset=dataset,
                overrides=assignments,
                device=self._device,  # type: ignore[arg-type]  # one of DEVICES
                seed=self._seed,
            )
            run, _ = start_run(config)
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
        except OSError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(explain(error)))
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

    def _command(self, command: Command) -> None:
        view = self.cifar_app.run_view
        if view and view.state in LIVING:
            try:
                send(view.run.controls_file, command)
            except OSError as error:
                self.cifar_app.complain(str(explain(error)))

    def action_pause(self) -> None:
        """Hold the run where it is."""
        self._command("pause")

    def action_resume(self) -> None:
        """Let a paused run go on."""
        self._command("resume")

    def action_checkpoint(self) -> None:
        """Save a checkpoint now."""
        self._command("checkpoint")

    def action_stop(self) -> None:
        """End the run, once that is confirmed."""
        question = "Stop the run? It saves a checkpoint first."
        self.app.push_screen(ConfirmDialog(question), lambda answer: self._command("stop") if answer else None)

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
        if action in ("start", "change", "next_recipe"):
            return setup and not (living and action == "start")
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
