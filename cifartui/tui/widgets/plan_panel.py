"""Setting up a run: what it would be, the settings in a table, each explained, changed and taken back."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static

from cifartui.dataset.store import SKETCHES
from cifartui.errors import CifartuiError, UsageError, explain
from cifartui.failures import failure
from cifartui.lessons.topic import Topic
from cifartui.lessons.topics import setting_topic
from cifartui.text import printable
from cifartui.training.recipes.files import (
    described_by_changes,
    list_recipes,
    load_recipe,
    own_recipe_names,
    save_recipe,
)
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.run.speeds import TrainedSpeed, speed_of, trained_speeds
from cifartui.tui.in_hand import NETWORK, InHand
from cifartui.tui.networks import OTHER_NETWORK, network_choices
from cifartui.tui.run_plan import PlannedSetting, RunPlan, asked_with, asked_without, make_plan
from cifartui.tui.widgets.charts import rate_plan_figure
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextDialog
from cifartui.tui.widgets.paths import TOML
from cifartui.tui.widgets.plan_texts import (
    choice_lines,
    plan_lines,
    plan_text,
    rate_text,
    recipe_line,
    setting_text,
    title_text,
)
from cifartui.tui.widgets.plot import Plot
from cifartui.tui.widgets.settings_table import SettingsEditor, SettingsTable

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp

KEEP, DROP = "keep", "drop"
BESIDE_CELLS = 112
"""Columns from which on curve and explanation stand beside the settings, not below them."""
SAVING = "It will be in the list of recipes. Seed, device and data set are no part of it."


class PlanPanel(Vertical):
    """What would be trained, the settings, and an explanation of the one under the cursor."""

    class Planned(Message):
        """The plan or the setting under the cursor is another."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.asked: InHand
        """What is in hand."""
        self._plain: InHand
        """What was in hand before a fork was set up."""
        self.plan = RunPlan(())
        """What a run would be with it."""
        self._speeds: list[TrainedSpeed] = []

    def compose(self) -> ComposeResult:
        yield Static(id="plan-title", classes="heading")
        yield Static(id="plan")
        with Vertical(id="plan-body"):
            yield SettingsEditor(widget_id="editor")
            with Vertical(id="beside"):
                yield Static(id="rate-title", classes="heading")
                yield Plot(widget_id="rate-curve")
                yield Static(id="meaning")
                with VerticalScroll(id="explaining", can_focus=False):
                    yield Static(id="explanation")

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE_CELLS, "-beside")
        self._explain()  # and whether there is a key for the curve

    @property
    def shows_curve_always(self) -> bool:
        """Whether there is room for the learning rate's curve besides all else."""
        return self.has_class("-beside") or self.screen.has_class("-tall")

    def on_mount(self) -> None:
        self.asked = self._plain = self._app.in_hand
        self.watch(self.app, "recipe", self._recipe_changed, init=False)
        self.watch(self.app, "dataset_name", self.refresh_plan)

    def _recipe_changed(self, recipe: Recipe) -> None:
        """Another screen changed it."""
        if self.asked.fork:
            self._plain = msgspec.structs.replace(self._plain, recipe=recipe)
        elif recipe != self.asked.recipe:
            self.asked = msgspec.structs.replace(self.asked, recipe=recipe)
            self.refresh_plan()

    @property
    def _app(self) -> "CifarApp":
        return cast("CifarApp", self.app)

    @property
    def _editor(self) -> SettingsEditor:
        return self.query_one(SettingsEditor)

    @property
    def dataset(self) -> str:
        """The name of the data set to train on."""
        return self._app.dataset_name or SKETCHES

    @property
    def selected(self) -> PlannedSetting | None:
        """The setting under the cursor."""
        row = self.query_one(SettingsTable).cursor_row
        return self.plan.settings[row] if row < len(self.plan.settings) else None

    @property
    def topic(self) -> Topic | None:
        """The setting under the cursor, for the panel that explains."""
        planned = self.selected
        if planned is None:
            return None
        return setting_topic(planned.setting, self._setting_text(planned), self.asked.recipe)

    def _setting_text(self, planned: PlannedSetting) -> str:
        return "\n".join(map(printable, setting_text(planned, self.asked.origin).splitlines()))

    def go_to(self, key: str) -> None:
        """Put the cursor on a setting."""
        rows = [planned.setting.key for planned in self.plan.settings]
        self.query_one(SettingsTable).move_cursor(row=rows.index(key))

    # WHAT IS IN HAND

    def set_up_fork(self, fork: InHand) -> None:
        """Take the settings of a run that goes on from a checkpoint; those of a new run stay as they are."""
        if not self.asked.fork:
            self._plain = self.asked
        self.asked = fork
        self.refresh_plan()

    def set_up_new(self) -> None:
        """Take the settings of a new run again."""
        if self.asked.fork:
            self.asked = self._plain
            self.refresh_plan()

    @work(thread=True, group="speeds", exclusive=True, exit_on_error=False, description="look how fast runs trained")
    def look_at_speeds(self) -> None:
        """Read from the runs that are here how fast this machine trains."""
        self.app.call_from_thread(self._take_speeds, trained_speeds())

    def _take_speeds(self, speeds: list[TrainedSpeed]) -> None:
        self._speeds = speeds
        self._show_plan(self.plan)

    # DRAWING

    def refresh_plan(self) -> None:
        """Work out anew what a run would be, and draw it."""
        self.plan = make_plan(self.asked, self.dataset)
        self._editor.show(self.plan.settings, forked=self.asked.fork is not None)
        changes = sum(planned.changed for planned in self.plan.settings)
        self.query_one("#plan-title", Static).update(title_text(self.asked, self.dataset, changes))
        self._show_plan(self.plan)
        self._explain()

    def _show_plan(self, plan: RunPlan) -> None:
        """Say what a run would be, also while a value is typed."""
        speed = speed_of(plan.config, self._speeds) if plan.config else None
        self.query_one("#plan", Static).update(plan_text(plan, speed))
        self.query_one("#meaning", Static).update(plan_lines(plan, speed))
        rates = plan.rates
        self.query_one("#rate-title", Static).update(Content(rate_text(rates)))
        self.query_one(Plot).show(rate_plan_figure(rates, plan.steps))
        self.set_class(bool(plan.problem) or plan.config is None, "-unknown")

    def refuse(self, sentence: str) -> None:
        """Show why no run could start, until a setting is changed."""
        self._show_plan(RunPlan((), problem=sentence))

    @on(DataTable.RowHighlighted)
    def _explain(self) -> None:
        planned = self.selected
        if planned:
            self._show_explanation(planned, planned.setting.value)
        self.post_message(self.Planned())

    def _show_explanation(self, planned: PlannedSetting, value: str, problem: str = "") -> None:
        title = (f"{planned.setting.key} = {printable(value)}", "bold")
        refused = (f"\n✗ {printable(problem)}", "bold $error") if problem else ""
        is_said_beside = self.screen.has_class("-wide")  # in the column that explains
        lines = "" if is_said_beside else f"\n{self._setting_text(planned)}"
        self.query_one("#explanation", Static).update(Content.assemble(title, refused, lines))
        self.query_one("#explaining").display = bool(problem) or not is_said_beside

    # CHANGING

    def ask_for_value(self) -> None:
        """Ask for a new value of the setting under the cursor: choices in a list, all else where it stands."""
        planned = self.selected
        if planned is None:
            return
        key, value = planned.setting.key, planned.setting.value
        explanation = setting_text(planned, self.asked.origin, are_choices_listed=True)
        check = _explaining(partial(self.set_value, key))
        if key == NETWORK:
            self.app.push_screen(
                ChoiceDialog(*(key, network_choices(), OTHER_NETWORK, value, check), explanation=explanation, path=TOML)
            )
        elif planned.setting.choices:
            mark = "as usual" if not planned.of_recipe else "the parent" if self.asked.fork else "the recipe"
            choices = list(choice_lines(planned, mark))
            self.app.push_screen(ChoiceDialog(key, choices, chosen=value, check=check, explanation=explanation))
        else:
            self._editor.edit(value)
            self.post_message(self.Planned())

    @on(SettingsEditor.Typed)
    def _try(self, event: SettingsEditor.Typed) -> None:
        """Say of a value that is being typed what is wrong with it, or what it would mean."""
        planned = self.selected
        if planned is None:
            return
        try:
            plan = make_plan(asked_with(self.asked, planned, event.value), self.dataset)
        except (CifartuiError, OSError) as error:
            plan, problem = self.plan, str(failure(error))
        else:
            problem = ""
        self._show_explanation(planned, event.value, problem)
        self._show_plan(plan)

    @on(SettingsEditor.Kept)
    def _keep(self, event: SettingsEditor.Kept) -> None:
        planned = self.selected
        if planned is None:
            return
        try:
            self.set_value(planned.setting.key, event.value)
        except (CifartuiError, OSError) as error:
            self._show_explanation(planned, event.value, str(failure(error)))
        else:
            self._editor.end()

    @on(SettingsEditor.Dropped)
    def _dropped(self) -> None:
        self._show_plan(self.plan)
        self._explain()

    def set_value(self, key: str, text: str) -> None:
        """Give a setting a new value; the one it has or the recipe's is no change, unless the data set made it another.

        Raises:
            UsageError: it is not allowed; the sentence says what is.
        """
        planned = next(planned for planned in self.plan.settings if planned.setting.key == key)
        asked = asked_with(self.asked, planned, text)
        if asked is not self.asked:
            self._take(asked)

    def take_back(self) -> None:
        """Give the setting under the cursor the recipe's own value again."""
        planned = self.selected
        if planned:
            self._take(asked_without(self.asked, planned))

    def _take(self, asked: InHand) -> None:
        self.asked = asked
        if not asked.fork:
            self._app.take_in_hand(asked)
        self.refresh_plan()

    def ask_for_recipe(self) -> None:
        """Show the recipes, and take one."""

        def take(name: str | None) -> None:
            if name and name != self.asked.name:
                self._take_recipe(name)

        choices = [(listed.name, recipe_line(listed)) for listed in list_recipes()]
        self.app.push_screen(
            ChoiceDialog("Recipes", choices, "or a .toml file", self.asked.name, _explaining(load_recipe), path=TOML),
            take,
        )

    def _take_recipe(self, name: str) -> None:
        """Take a recipe; what was changed by hand is not dropped unasked."""
        try:
            own = load_recipe(name)
        except (CifartuiError, OSError) as error:
            self._app.complain(str(failure(error)))
            return
        onto = self.asked.onto(name, own)
        plain = msgspec.structs.replace(self.asked, name=name, own=own, recipe=own, kept=frozenset())

        def take(answer: str | None) -> None:
            if answer:
                self._take(onto if answer == KEEP else plain)

        if not self.asked.changed:
            take(DROP)
            return
        choices = [(KEEP, f"keep my changes, on top of {name}"), (DROP, f"drop them: {name} as it is")]
        explanation = f"You changed: {', '.join(self.asked.assignments)}."
        lost = [one for one in self.asked.assignments if one not in onto.assignments]
        explanation += f" {name} has no such setting as {', '.join(lost)}." if lost else ""
        self.app.push_screen(ChoiceDialog(f"Recipe {name}", choices, explanation=explanation), take)

    # A RECIPE OF ONE'S OWN

    def ask_for_name(self) -> None:
        """Ask for a name, and keep the settings under it."""
        begin = self.asked.name if self.asked.name in own_recipe_names() else ""
        dialog = TextDialog("Keep these settings as recipe:", begin, _explaining(self._save), explanation=SAVING)
        self.app.push_screen(dialog)

    def _save(self, name: str) -> None:
        name, asked = name.strip(), self.asked
        if name in own_recipe_names() and name != asked.name:
            raise UsageError(f"There is a recipe {name} of your own already; choose another name.")
        recipe = described_by_changes(asked.recipe, asked.name, asked.assignments)
        save_recipe(name, recipe)
        if not asked.fork:
            self._take(msgspec.structs.replace(asked, name=name, own=recipe, recipe=recipe, kept=frozenset()))
        self._app.tell(f"Kept: r lists recipe {name}, and `cifartui train --recipe {name}` trains by it.")


def _explaining(check: Callable[[str], object]) -> Callable[[str], object]:
    """A check of what is typed, to which a file that cannot be read is a sentence like any other."""

    def checked(text: str) -> object:
        try:
            return check(text)
        except OSError as error:
            raise explain(error) from error

    return checked
