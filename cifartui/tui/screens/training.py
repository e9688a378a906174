"""The training screen: the recipe before a run, the curves and controls of one."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, DataTable, RichLog, Static

from cifartui.dataset.store import SKETCHES
from cifartui.errors import CifartuiError, explain
from cifartui.model.network import load_network
from cifartui.text import clock, printable
from cifartui.training.controls import Command, send
from cifartui.training.follow import why_interrupted
from cifartui.training.launch import DEFAULT_SEED, plan_run, start_run
from cifartui.training.recipe import load_recipe, override, recipe_names, settings
from cifartui.training.run import LIVING, RunState
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.view import MARKS, RunView
from cifartui.tui.widgets.charts import CurveChart, accuracy_curve, loss_curve, validation_points
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog

BAR_CELLS = 16
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
        Binding("enter", "start", "start", tooltip="Start training", id="training.start", priority=True),
        Binding("v", "change", "change", tooltip="Change the setting under the cursor", id="training.change"),
        Binding("r", "next_recipe", "recipe", tooltip="The next recipe", id="training.recipe"),
        Binding("space", "pause", "pause", tooltip="Hold the run where it is", id="training.pause"),
        Binding("space", "resume", "resume", tooltip="Let the run go on", id="training.resume"),
        Binding("c", "checkpoint", "checkpoint", tooltip="Save a checkpoint now", id="training.checkpoint"),
        Binding("s", "stop", "stop", tooltip="End the run with a checkpoint", id="training.stop"),
        Binding("n", "new", "new run", tooltip="Set up another run", id="training.new"),
        Binding("escape", "back", "curves", tooltip="Back to the curves", id="training.back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._seed, self._device = DEFAULT_SEED, "auto"
        self._log_lines = 0
        self._shown_run: str | None = None
        self._shown_state: RunState | None = None

    def compose_body(self) -> ComposeResult:
        with ContentSwitcher(initial="setup"):
            with Vertical(id="setup"):
                yield Static(id="plan", classes="heading")
                yield DataTable(id="settings", cursor_type="row", show_header=False)
                yield Static(id="explanation")
            with Vertical(id="live"), Horizontal(id="live-upper"):
                with Vertical(id="charts"):
                    yield Static("loss", classes="heading")
                    yield CurveChart(widget_id="loss", percent=False)
                    yield Static("accuracy, %", id="accuracy-title", classes="heading")
                    yield CurveChart(widget_id="accuracy", percent=True)
                with Vertical(id="side"):
                    yield Static("run", classes="heading")
                    yield Static(id="facts")
                    yield Static("log", id="log-title", classes="heading")
                    yield RichLog(id="log", wrap=True, markup=False, highlight=False, max_lines=400)

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
        if view.run.id != self._shown_run or view.history.log_length < self._log_lines:
            self.query_one("#log", RichLog).clear()
            self._log_lines = 0
            self._shown_run = view.run.id
            self._switch("live")
        history = view.history
        self.query_one("#loss", CurveChart).set_curve(loss_curve(history.curve), [], history.steps)
        points = validation_points(history.validation)
        self.query_one("#accuracy", CurveChart).set_curve(accuracy_curve(history.curve), points, history.steps)
        held_out = " · ● held-out images" if points else ""
        self.query_one("#accuracy-title", Static).update(Content(f"accuracy, % · training images{held_out}"))
        self.query_one("#facts", Static).update(run_text(view))
        log = self.query_one("#log", RichLog)
        unseen = min(history.log_length - self._log_lines, len(history.log))
        for line in history.log[len(history.log) - unseen :]:
            log.write(printable(line))
        self._log_lines = history.log_length
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


def run_text(view: RunView) -> Content:
    """State, progress, speed, settings and device of a run."""
    history, started, latest = view.history, view.history.started, view.history.latest
    lines = [Content.assemble((f"{MARKS[view.state]} {view.state}", "bold"), f"  {view.short_id}")]
    if view.problem:
        lines.append(Content.styled(printable(view.problem), "$error"))
    elif view.state == "interrupted":
        lines.append(Content.styled(printable(why_interrupted(view.run)), "$error"))
    if started is None:
        if view.state in LIVING:
            lines.append(Content.styled("loading torch and the images …", "$text-muted"))
        return Content("\n").join(lines)
    if latest:
        left = f" {clock(history.seconds_left)} left" if view.state in LIVING and history.seconds_left else ""
        bar = "█" * round(BAR_CELLS * history.fraction)
        lines += [
            Content.assemble((f"{bar:░<{BAR_CELLS}}", "$primary"), f" {history.fraction:.0%}{left}"),
            Content(f"epoch {latest.epoch:,}/{started.epochs:,} · step {latest.step:,}/{history.steps:,}"),
            Content(f"{history.images_per_second or 0:,.0f} images/s · {_steps_per_second(view):,.0f} steps/s"),
            Content(f"loss {'not finite' if latest.running_loss is None else f'{latest.running_loss:.3f}'} (running)"),
        ]
    lines += [
        Content(f"batch {started.batch_size} · lr {latest.learning_rate if latest else started.learning_rate:g}"),
        Content.styled(printable(f"{started.dataset} · seed {started.seed}"), "$text-muted"),
        Content.styled(printable(f"{started.device}"), "$text-muted"),
        Content.styled(printable(started.device_reason), "$text-muted"),
    ]
    return Content("\n").join(lines)


def _steps_per_second(view: RunView) -> float:
    started = view.history.started
    return (view.history.images_per_second or 0) / started.batch_size if started else 0.0
