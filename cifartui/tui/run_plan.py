"""What would be trained with the settings in hand, and where each setting's value comes from."""

from collections.abc import Collection

import msgspec

from cifartui.dataset.store import DatasetFacts, find_dataset, load_facts
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.model.network import load_network
from cifartui.training.device_names import DEVICE_NAMES, DeviceName
from cifartui.training.fitting import fit_network, fit_recipe, steps_per_epoch, trained_images
from cifartui.training.launch import DEFAULT_SEED, plan_run
from cifartui.training.recipes.recipe import RATE, Recipe
from cifartui.training.recipes.settings import Setting, override, settings
from cifartui.training.resuming import plan_fork
from cifartui.training.run.folder import RunConfig
from cifartui.training.run.follow import read_history
from cifartui.tui.view import short_id

SEED = Setting(
    "seed",
    str(DEFAULT_SEED),
    "Where all random numbers start: the same seed gives the same losses.",
    allowed="a whole number, at least 0 and below 2^63",
)
DEVICE = Setting(
    "device",
    "auto",
    "auto takes a GPU that can be used, and says why if there is none; cpu and cuda insist.",
    choices=DEVICE_NAMES,
)
"""Both are asked of a run, and no part of its recipe; the values are what they are unless changed."""


class ForkOf(msgspec.Struct, frozen=True):
    """The checkpoint that a run goes on from."""

    parent: str
    """`RUN@STEP`."""
    config: RunConfig
    """The parent's."""
    rate: float = 0.0
    """The learning rate that it had there, which may have been turned; 0 where that is not known."""


class InHand(msgspec.Struct, frozen=True):
    """What is asked for so far."""

    name: str
    """Of the recipe."""
    own: Recipe
    """The recipe as it is by itself."""
    recipe: Recipe
    """With what was changed of it."""
    kept: frozenset[str] = frozenset()
    """Settings that the user set, also those that he set to the recipe's own value."""
    seed: str = SEED.value
    device: DeviceName = "auto"
    fork: ForkOf | None = None
    """Where the run goes on from, if it is no new one: network, data set, seed and batch size are its parent's."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The recipe's settings that are not as it has them, or that were set to stay as they are."""
        own = {setting.key: setting.value for setting in settings(self.own)}
        return tuple(
            setting.key
            for setting in settings(self.recipe)
            if setting.value != own[setting.key] or setting.key in self.kept
        )

    @property
    def origin(self) -> str:
        """Whose settings these are where nothing was changed, in words."""
        return f"its parent {short_id(self.fork.parent)}" if self.fork else f"recipe {self.name}"

    @property
    def assignments(self) -> list[str]:
        """What was changed, as `plan_run` takes it."""
        values = {setting.key: setting.value for setting in settings(self.recipe)}
        return [f"{key}={values[key]}" for key in self.changed]

    def config(self, dataset: str) -> RunConfig:
        """What a run on a data set would be, checked as `plan_run` checks it.

        Raises:
            CifartuiError: something of it does not exist, is not allowed or does not fit.
            OSError: the recipe's or the network's file cannot be read.
        """
        if self.fork:
            return msgspec.structs.replace(self.fork.config, settings=self.recipe, device=self.device)
        return plan_run(
            recipe=self.name, dataset=dataset, overrides=self.assignments, device=self.device, seed=int(self.seed)
        )

    def onto(self, name: str, own: Recipe) -> "InHand":
        """Another recipe with the same changes on top."""
        return msgspec.structs.replace(
            self, name=name, own=own, recipe=override(own, self.assignments), kept=frozenset(self.changed)
        )


def fork_in_hand(parent: str) -> InHand:
    """What a run would be that goes on from a checkpoint, `RUN@STEP`, with its parent's settings.

    Raises:
        CifartuiError: there is no such checkpoint, or nothing can go on from it.
    """
    plan = plan_fork(parent)
    config, own = plan.config, plan.config.settings
    multiplier = read_history(plan.parent)[0].rate_multiplier(plan.checkpoint.step)
    fork = ForkOf(parent, config, own.optimizer.learning_rate * multiplier)
    return InHand(config.recipe, own, own, seed=str(config.seed), device=config.device, fork=fork)


class PlannedSetting(msgspec.Struct, frozen=True):
    """A setting as a run would have it."""

    setting: Setting
    own: str
    """The recipe's value, or the usual one of what is no part of the recipe."""
    changed: bool = False
    """By the user."""
    of_recipe: bool = True
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
            reasons = {**reasons, "network": layers}
    own = {setting.key: setting.value for setting in settings(asked.own)}
    turned = asked.fork is not None and asked.fork.rate not in (0.0, recipe.optimizer.learning_rate)
    turned = turned and RATE not in changed
    if asked.fork and turned:
        recipe = override(recipe, [f"{RATE}={asked.fork.rate:.6g}"])
    lines = [
        PlannedSetting(
            setting,
            own[setting.key],
            setting.key in changed,
            follows=reasons.get(setting.key, ""),
            turned=turned and setting.key == RATE,
        )
        for setting in settings(recipe)
    ]
    for setting, value in ((SEED, asked.seed), (DEVICE, asked.device)):
        shown = msgspec.structs.replace(setting, value=value)
        lines.append(PlannedSetting(shown, setting.value, value != setting.value, of_recipe=False))
    return tuple(lines)


def _changed_layers(network: str, facts: DatasetFacts) -> str:
    try:
        return "; ".join(fit_network(load_network(network), facts).changes)
    except (CifartuiError, OSError):  # the plan as a whole says it
        return ""
