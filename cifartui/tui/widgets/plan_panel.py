"""Setting up a run: what it would be, the settings in a table, each explained, changed and taken back."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static

from cifartui.dataset.store import SKETCHES
from cifartui.errors import CifartuiError, UsageError, explain
from cifartui.failures import failure
from cifartui.model.network import load_network
from cifartui.text import printable
from cifartui.training.device_names import DeviceName
from cifartui.training.fitting import HELD_OUT, LOG_EVERY
from cifartui.training.launch import check_seed
from cifartui.training.recipes.files import load_recipe, recipe_names
from cifartui.training.recipes.recipe import RATE, Recipe
from cifartui.training.recipes.settings import override
from cifartui.training.resuming import FIXED
from cifartui.tui.networks import OTHER_NETWORK, network_choices
from cifartui.tui.run_plan import DEVICE, SEED, InHand, PlannedSetting, RunPlan, make_plan
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextDialog
from cifartui.tui.widgets.paths import TOML
from cifartui.tui.widgets.plan_texts import REMARK_CELLS, VALUE_CELLS, plan_text, row_cells, setting_text, title_text

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp

NETWORK = "network"
OUTSIDE_RECIPE = (SEED.key, DEVICE.key)
FOLLOWING = (LOG_EVERY, HELD_OUT)
"""Settings that the data set changes, so that the recipe's own value is a choice too; of a fork, `RATE` is another."""
KEEP, DROP = "keep", "drop"
COLUMNS = (("", 2), ("setting", 24), ("value", VALUE_CELLS + 1), ("from", REMARK_CELLS))
"""Labels, and cells with the gap to the next column."""


class SettingsTable(DataTable[Text]):
    """A line for each setting; enter starts what they say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.start", "start", tooltip="Start training with these settings", id="training.start"),
        Binding("home", "row(0)", "first", tooltip="The first setting", show=False, id="settings.first"),
        Binding("end", "row(-1)", "last", tooltip="The last setting", show=False, id="settings.last"),
    ]

    def action_row(self, row: int) -> None:
        """Go to the first or the last setting."""
        self.move_cursor(row=row % max(1, self.row_count))


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

    def compose(self) -> ComposeResult:
        yield Static(id="plan-title", classes="heading")
        yield Static(id="plan")
        yield SettingsTable(id="settings", cursor_type="row", show_header=False, cell_padding=0)
        yield Static(id="explanation")

    def on_mount(self) -> None:
        recipe = self._app.recipe
        self.asked = self._plain = InHand(self._app.recipe_name, load_recipe(self._app.recipe_name), recipe)
        for label, width in COLUMNS:
            self.query_one(SettingsTable).add_column(label, width=width)
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
    def dataset(self) -> str:
        """The name of the data set to train on."""
        return self._app.dataset_name or SKETCHES

    @property
    def selected(self) -> PlannedSetting | None:
        """The setting under the cursor."""
        row = self.query_one(SettingsTable).cursor_row
        return self.plan.settings[row] if row < len(self.plan.settings) else None

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

    # DRAWING

    def refresh_plan(self) -> None:
        """Work out anew what a run would be, and draw it."""
        self.plan = make_plan(self.asked, self.dataset)
        table = self.query_one(SettingsTable)
        row, top = table.cursor_row, table.scroll_y
        table.clear()
        for planned in self.plan.settings:
            style = "bold" if planned.changed else ""
            table.add_row(
                *(Text(cell, style=style) for cell in row_cells(planned, forked=self.asked.fork is not None)),
                key=planned.setting.key,
            )
        table.move_cursor(row=row)
        table.scroll_to(y=top, animate=False)
        changes = sum(planned.changed for planned in self.plan.settings)
        self.query_one("#plan-title", Static).update(title_text(self.asked, self.dataset, changes))
        self.query_one("#plan", Static).update(plan_text(self.plan))
        self._explain()

    def refuse(self, sentence: str) -> None:
        """Show why no run could start, until a setting is changed."""
        self.query_one("#plan", Static).update(plan_text(RunPlan((), problem=sentence)))

    @on(DataTable.RowHighlighted)
    def _explain(self) -> None:
        planned = self.selected
        if planned:
            title = (f"{planned.setting.key} = {printable(planned.setting.value)}", "bold")
            lines = "\n".join(map(printable, setting_text(planned, self.asked.origin).splitlines()))
            self.query_one("#explanation", Static).update(Content.assemble(title, "\n", lines))
        self.post_message(self.Planned())

    # CHANGING

    def ask_for_value(self) -> None:
        """Ask for a new value of the setting under the cursor."""
        planned = self.selected
        if planned is None:
            return
        key, value = planned.setting.key, planned.setting.value
        explanation = setting_text(planned, self.asked.origin)
        mark = f" · {'as usual' if not planned.of_recipe else 'the parent' if self.asked.fork else 'the recipe'}"
        choices = [(choice, choice + mark * (choice == planned.own)) for choice in planned.setting.choices]
        check = _explaining(partial(self.set_value, key))
        if key == NETWORK:
            dialog: ChoiceDialog | TextDialog = ChoiceDialog(
                *(key, network_choices(), OTHER_NETWORK, value, check), explanation=explanation, path=TOML
            )
        elif choices:
            dialog = ChoiceDialog(key, choices, chosen=value, check=check, explanation=explanation)
        else:
            dialog = TextDialog(key, value, check, explanation=explanation)
        self.app.push_screen(dialog)

    def set_value(self, key: str, text: str) -> None:
        """Give a setting a new value; the one it has or the recipe's is no change, unless the data set made it another.

        Raises:
            UsageError: it is not allowed; the sentence says what is.
        """
        text = text.strip()
        asked = self._with_value(key, text)
        planned = next(planned for planned in self.plan.settings if planned.setting.key == key)
        if not planned.changed and text == planned.setting.value:
            return
        if key in OUTSIDE_RECIPE:
            self._take(asked)
        elif text == planned.own and key not in FOLLOWING and not (self.asked.fork and key == RATE):
            self._take(msgspec.structs.replace(asked, kept=asked.kept - {key}))
        else:
            self._take(msgspec.structs.replace(asked, kept=asked.kept | {key}))

    def take_back(self) -> None:
        """Give the setting under the cursor the recipe's own value again."""
        planned = self.selected
        if planned:
            key = planned.setting.key
            asked = self._with_value(key, planned.own)
            self._take(msgspec.structs.replace(asked, kept=asked.kept - {key}))

    def _with_value(self, key: str, text: str) -> InHand:
        if self.asked.fork and key in (*FIXED, SEED.key):
            raise UsageError(f"A fork has the {key} of its parent: what the checkpoint holds would not fit another.")
        if key == SEED.key:
            if not text.isdecimal():
                raise UsageError(f"seed = {printable(text, 40)!r} is not allowed: a whole number is expected.")
            check_seed(int(text))
            return msgspec.structs.replace(self.asked, seed=text)
        if key == DEVICE.key:
            return msgspec.structs.replace(self.asked, device=cast(DeviceName, text))
        if key == NETWORK:
            load_network(text)
        return msgspec.structs.replace(self.asked, recipe=override(self.asked.recipe, [f"{key}={text}"]))

    def _take(self, asked: InHand) -> None:
        self.asked = asked
        if not asked.fork:
            self._app.recipe_name, self._app.recipe = asked.name, asked.recipe
        self.refresh_plan()

    def ask_for_recipe(self) -> None:
        """Show the recipes, and take one."""

        def take(name: str | None) -> None:
            if name and name != self.asked.name:
                self._take_recipe(name)

        choices = [(name, f"{name:<10} {load_recipe(name).description}") for name in recipe_names()]
        self.app.push_screen(
            ChoiceDialog("Recipes", choices, "or a .toml file", self.asked.name, _explaining(load_recipe), path=TOML),
            take,
        )

    def _take_recipe(self, name: str) -> None:
        """Take a recipe; what was changed by hand is not dropped unasked."""
        try:
            own = load_recipe(name)
            onto = self.asked.onto(name, own)
        except (CifartuiError, OSError) as error:
            self._app.complain(str(failure(error)))
            return
        plain = msgspec.structs.replace(self.asked, name=name, own=own, recipe=own, kept=frozenset())

        def take(answer: str | None) -> None:
            if answer:
                self._take(onto if answer == KEEP else plain)

        if not self.asked.changed:
            take(DROP)
            return
        choices = [(KEEP, f"keep my changes, on top of {name}"), (DROP, f"drop them: {name} as it is")]
        explanation = f"You changed: {', '.join(self.asked.assignments)}."
        self.app.push_screen(ChoiceDialog(f"Recipe {name}", choices, explanation=explanation), take)


def _explaining(check: Callable[[str], object]) -> Callable[[str], object]:
    """A check of what is typed, to which a file that cannot be read is a sentence like any other."""

    def checked(text: str) -> object:
        try:
            return check(text)
        except OSError as error:
            raise explain(error) from error

    return checked
