"""What would be trained with the settings in hand, and where each setting's value comes from."""

from collections.abc import Collection

import msgspec

from cifartui.dataset.store import DatasetFacts, find_dataset, load_facts
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.model.network import load_network
from cifartui.training.fitting import (
    HELD_OUT,
    LOG_EVERY,
    fit_network,
    fit_recipe,
    steps_per_epoch,
    trained_images,
)
from cifartui.training.recipes.recipe import RATE
from cifartui.training.recipes.settings import Setting, override, settings
from cifartui.training.run.folder import RunConfig
from cifartui.tui.in_hand import DEVICE, NETWORK, OUTSIDE_RECIPE, SEED, InHand
from cifartui.tui.setting_groups import in_groups

FOLLOWING = (LOG_EVERY, HELD_OUT)
"""Settings that the data set changes, so that the recipe's own value is a choice too; of a fork, `RATE` is another."""

RATE_POINTS = 200
"""So many stretches between the steps of which the learning rate is told."""


class PlannedSetting(msgspec.Struct, frozen=True):
    """A setting as a run would have it."""

    setting: Setting
    own: str
    """The recipe's value, or the usual one of what the recipe does not have."""
    changed: bool = False
    """By the user."""
    of_recipe: bool = True
    """Whether the recipe has such a setting: not the seed, nor what another kind of optimizer has."""
    follows: str = ""
    """Why the data set makes it another than the recipe's; of the network, which layers."""
    turned: bool = False
    """Whether the run that is forked was turned to it, so that it is another than its recipe's."""


class RunPlan(msgspec.Struct, frozen=True):
    """The settings as a run would have them, and what the run would be."""

    settings: tuple[PlannedSetting, ...]
    facts: DatasetFacts | None = None
    config: RunConfig | None = None
    """None while something of it is not allowed, and for code of the user's own, which only running it shows."""
    problem: str = ""
    """Why no run could start, in a sentence."""

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches of one epoch; 0 while that is not known."""
        return steps_per_epoch(self.config.settings, self.facts) if self.config and self.facts else 0

    @property
    def steps(self) -> int:
        """Of the whole run; 0 while that is not known."""
        return self.config.settings.epochs * self.steps_per_epoch if self.config else 0

    @property
    def rates(self) -> list[tuple[float, float]]:
        """The learning rate at some steps from the first to the last; empty while that is not known."""
        if not (self.config and self.steps):
            return []
        recipe, last = self.config.settings, self.steps - 1
        highest = float(next(planned.setting.value for planned in self.settings if planned.setting.key == RATE))
        steps = sorted({round(last * place / RATE_POINTS) for place in range(RATE_POINTS + 1)})
        return [(step, highest * recipe.schedule.factor(step, self.steps_per_epoch, recipe.epochs)) for step in steps]

    @property
    def log_lines(self) -> int:
        """Of the whole run."""
        if not self.config:
            return 0
        return self.config.settings.epochs * (self.steps_per_epoch // self.config.settings.log_every)

    @property
    def trained_images(self) -> int:
        """Images that are trained on, the held-out ones left out."""
        return trained_images(self.config.settings, self.facts) if self.config and self.facts else 0


def make_plan(asked: InHand, dataset: str) -> RunPlan:
    """Work out what a run on a data set would be; no code of the user's own is run for it."""
    try:
        fork = asked.fork
        facts = find_dataset(fork.config.dataset, fork.config.dataset_sha256) if fork else load_facts(dataset)
    except (CifartuiError, OSError) as error:
        return RunPlan(planned_settings(asked, None), problem=str(failure(error)))
    planned = planned_settings(asked, facts)
    try:
        if ":" in asked.recipe.network and not fork:
            return RunPlan(planned, facts)
        config = asked.config(dataset)
    except (CifartuiError, OSError) as error:
        return RunPlan(planned, facts, problem=str(failure(error)))
    return RunPlan(planned, facts, config)


def planned_settings(asked: InHand, facts: DatasetFacts | None) -> tuple[PlannedSetting, ...]:
    """Every setting with the value that it would have on a data set."""
    changed: Collection[str] = asked.changed
    recipe, reasons = asked.recipe, dict[str, str]()
    if facts and not asked.fork:
        recipe, reasons = fit_recipe(asked.recipe, facts, changed)
        if layers := _changed_layers(asked.recipe.network, facts):
            reasons = {**reasons, NETWORK: layers}
    own = {setting.key for setting in settings(asked.own)}
    turned = asked.fork is not None and asked.fork.rate not in (0.0, recipe.optimizer.learning_rate)
    turned = turned and RATE not in changed
    if asked.fork and turned:
        recipe = override(recipe, [f"{RATE}={asked.fork.rate:.6g}"])
    planned = {
        setting.key: PlannedSetting(
            setting,
            asked.unchanged[setting.key],
            setting.key in changed,
            of_recipe=setting.key in own,
            follows=reasons.get(setting.key, ""),
            turned=turned and setting.key == RATE,
        )
        for setting in settings(recipe)
    }
    for setting, value in ((SEED, asked.seed), (DEVICE, asked.device)):
        shown = msgspec.structs.replace(setting, value=value)
        planned[setting.key] = PlannedSetting(shown, setting.value, value != setting.value, of_recipe=False)
    return tuple(planned[key] for key in in_groups(planned))


def asked_with(asked: InHand, planned: PlannedSetting, text: str) -> InHand:
    """What is in hand with a new value of a setting, as it stands in the plan.

    The value that it has, or the recipe's, is no change, unless the data set or a turned rate made it another.

    Raises:
        CifartuiError, OSError: it is not allowed; the sentence says what is.
    """
    key, text = planned.setting.key, text.strip()
    new = asked.with_value(key, text)
    if not planned.changed and text == planned.setting.value:
        return asked
    if key in OUTSIDE_RECIPE:
        return new
    follows = key in FOLLOWING or (asked.fork is not None and key == RATE)
    return msgspec.structs.replace(
        new, kept=new.kept - {key} if text == planned.own and not follows else new.kept | {key}
    )


def asked_without(asked: InHand, planned: PlannedSetting) -> InHand:
    """What is in hand with the change of a setting taken back."""
    new = asked.with_value(planned.setting.key, planned.own)
    return msgspec.structs.replace(new, kept=new.kept - {planned.setting.key})


def _changed_layers(network: str, facts: DatasetFacts) -> str:
    try:
        return "; ".join(fit_network(load_network(network), facts).changes)
    except (CifartuiError, OSError):  # the plan as a whole says it
        return ""
