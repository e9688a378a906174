"""The training screen: the settings before a run, the curves and controls of one."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher

from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.training.launch import start_run
from cifartui.training.recipes.recipe import RATE
from cifartui.training.recipes.settings import override
from cifartui.training.resuming import fork_run, plan_fork
from cifartui.training.run.checkpoints import CheckpointFacts
from cifartui.training.run.folder import Run
from cifartui.tui.in_hand import InHand, fork_in_hand
from cifartui.tui.screens.rate_finder import RateFinderScreen
from cifartui.tui.screens.runs import RunsScreen
from cifartui.tui.screens.starting import Host, StartingScreen
from cifartui.tui.screens.steering import SteeringScreen
from cifartui.tui.view import RunView
from cifartui.tui.widgets.plan_panel import PlanPanel
from cifartui.tui.widgets.run_panel import RunPanel


class TrainingScreen(StartingScreen, SteeringScreen):
    """Set up a run, or watch and steer the one in view."""

    NOUN = "training"
    CSS_PATH = "training.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [  # of those with one key the library sees only the last class's
        Binding(
            "b",
            "roll_back",
            "roll back",
            tooltip="Go back to the last checkpoint, and on from there with half the learning rate",
            id="training.rollback",
        ),
        Binding(
            "b",
            "go_back",
            "go back",
            tooltip="Let the run that ended go on from another of its checkpoints",
            id="training.go_back",
            show=False,
        ),
        Binding(
            "y",
            "accumulate",
            "in parts",
            tooltip="Go on with each step's images in parts that fit into the memory, and one update for all of them",
            id="training.accumulate",
        ),
        Binding(
            "y",
            "use_remedy",
            "use it",
            tooltip="Put what would make this run faster into the settings of the next one",
            id="training.use_remedy",
        ),
        Binding("o", "runs", "runs", tooltip="Choose the run to look at, living or ended", id="training.runs"),
        Binding("a", "new", "new run", tooltip="Set up another run", id="training.new"),
        Binding(
            "h",
            "app.machine",
            "machine",
            tooltip="See what this machine can do, what is in the way, and what to do",
            id="training.machine",
        ),
        Binding(
            "tab",
            "choose_part(1)",
            "next part",
            tooltip="Go on to the next part: loss, accuracy, what it learns, run, device, log; shift+tab goes back",
            id="training.part",
            show=False,
        ),
        Binding(
            "shift+tab",
            "choose_part(-1)",
            "part before",
            tooltip="Go back to the part before",
            id="training.part_before",
            show=False,
        ),
        Binding("escape", "back", "curves", tooltip="Go back to the curves of the run", id="training.back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown_run: str | None = None
        self._shown: tuple[object, ...] = ()
        """What the keys shown depend on."""

    def compose_body(self) -> ComposeResult:
        with ContentSwitcher(initial="setup"):
            yield PlanPanel(widget_id="setup")
            yield RunPanel(widget_id="live")

    def on_mount(self) -> None:
        self.watch(self.app, "run_view", self._show_run)

    def on_screen_resume(self) -> None:
        if self._sets_up:
            panel = self.query_one(PlanPanel)
            panel.refresh_plan()  # networks and data sets may have come or gone
            panel.look_at_speeds()
        self.refresh_bindings()

    @property
    def _sets_up(self) -> bool:
        """Whether the settings are shown, and not a run."""
        return self.query_one(ContentSwitcher).current == "setup"

    @property
    def run_in_view(self) -> RunView | None:
        """The run whose curves are shown; None while the settings are."""
        return None if self._sets_up else self.cifar_app.run_view

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

    def action_save_recipe(self) -> None:
        """Keep the settings as a recipe of the user's own."""
        self.query_one(PlanPanel).ask_for_name()

    def action_curve(self) -> None:
        """Show or hide the learning rate's curve, where there is no room to show it always."""
        self.query_one(PlanPanel).toggle_class("-curve")

    def action_find_rate(self) -> None:
        """Look for a learning rate, and put it into the settings."""
        panel = self.query_one(PlanPanel)

        def take(rate: float | None) -> None:
            if rate is not None:
                panel.set_value(RATE, f"{rate:g}")
                self.cifar_app.tell(f"{RATE} is {rate:g} now.")

        if panel.plan.problem:
            self.cifar_app.complain(panel.plan.problem)
        else:
            self.app.push_screen(RateFinderScreen(panel.asked, panel.dataset), take)

    def action_start(self) -> None:
        """Start a run with these settings."""
        panel = self.query_one(PlanPanel)
        asked, dataset = panel.asked, panel.dataset
        if ":" in asked.recipe.network and not asked.fork:
            self.cifar_app.tell(f"Running {asked.recipe.network} once, to see whether it fits.")

        def start(at_once: bool) -> tuple[Run, Host]:
            if asked.fork:
                plan = plan_fork(asked.fork.parent, asked.assignments, asked.device)
                return fork_run(plan, now=at_once, hold=True)
            return start_run(asked.config(dataset), now=at_once, hold=True)

        self.launch(start)

    def not_started(self, sentence: str) -> None:
        """Say why nothing was started."""
        if self._sets_up:
            self.query_one(PlanPanel).refuse(sentence)
        else:
            super().not_started(sentence)

    # A FORK

    def set_up_fork(self, checkpoint: CheckpointFacts) -> None:
        """Show the settings of a run that would go on from a checkpoint."""
        self._read_parent(checkpoint)

    @work(thread=True, group="fork", exclusive=True, exit_on_error=False, description="read the parent")
    def _read_parent(self, checkpoint: CheckpointFacts) -> None:
        try:
            asked = fork_in_hand(f"{checkpoint.run}@{checkpoint.step}")
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(self.cifar_app.complain, str(failure(error)))
        else:
            self.app.call_from_thread(self._show_fork, asked)

    def _show_fork(self, asked: InHand) -> None:
        self.query_one(PlanPanel).set_up_fork(asked)
        self._switch("setup")

    # A RUN IN VIEW

    def _show_run(self, view: RunView | None) -> None:
        if view is None:
            self._switch("setup")
            return
        if view.run.id != self._shown_run:
            self._shown_run = view.run.id
            self._switch("live")
        self.query_one(RunPanel).show(view)
        history = view.history
        remedy = view.speed.settings if view.speed else ()
        shown = (view.state, history.paused, history.trouble, bool(history.checkpoints), remedy)
        if shown != self._shown:  # not at every report: the line of keys would flicker
            self._shown = shown
            self.refresh_bindings()

    def _switch(self, pane: str) -> None:
        self.query_one(ContentSwitcher).current = pane
        if pane == "setup":
            self.query_one("#settings").focus()
            self.query_one(PlanPanel).look_at_speeds()
        else:
            self.query_one(RunPanel).focus_part()
        self.refresh_bindings()

    def action_choose_part(self, way: int) -> None:
        """Go on to the next part of the run in view, or of the settings; or back."""
        if not self._sets_up:
            self.query_one(RunPanel).choose_part(way)
            self.explain()
        elif way > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_runs(self) -> None:
        """Show all runs."""
        self.app.push_screen(RunsScreen())

    def action_use_remedy(self) -> None:
        """Put what the verdict on the speed says into the settings of the next run."""
        view = self.run_in_view
        if view and view.speed and view.speed.settings:
            settings = view.speed.settings
            self.cifar_app.recipe = override(self.cifar_app.recipe, settings)
            self.cifar_app.tell(f"The next run has {', '.join(settings)}; press a to see it.")

    def action_new(self) -> None:
        """Set up another run."""
        self.query_one(PlanPanel).set_up_new()
        self._switch("setup")

    def action_back(self) -> None:
        """Go back to the curves of the run in view."""
        if self.cifar_app.run_view:
            self._switch("live")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if not self.is_mounted:
            return True
        if action in ("start", "change", "save_recipe"):
            return self._sets_up
        if action == "curve":
            return self._sets_up and not self.query_one(PlanPanel).shows_curve_always
        panel = self.query_one(PlanPanel)
        if action in ("recipe", "find_rate"):
            return self._sets_up and not panel.asked.fork
        if action == "take_back":
            return self._sets_up and panel.selected is not None and panel.selected.changed
        if action == "use_remedy":
            view = self.run_in_view
            proposed = bool(view and view.speed and view.speed.settings)
            return proposed and not super().check_action("accumulate", ())  # which has the same key, and presses
        if action == "back":
            return self._sets_up and self.cifar_app.run_view is not None
        if action == "new":
            return not self._sets_up or panel.asked.fork is not None
        return super().check_action(action, parameters)
