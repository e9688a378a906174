"""What is asked for before a run starts: a recipe, what was changed of it, and what is no part of a recipe."""

from functools import cached_property
from typing import cast

import msgspec

from cifartui.errors import UsageError
from cifartui.model.network import load_network
from cifartui.text import printable
from cifartui.training.device_names import DEVICE_NAMES, DeviceName
from cifartui.training.launch import DEFAULT_SEED, check_seed, plan_run
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import Setting, override, override_each, settings
from cifartui.training.resuming import FIXED, plan_fork
from cifartui.training.run.folder import RunConfig
from cifartui.training.run.follow import read_history
from cifartui.tui.view import short_id

NETWORK = "network"
SEED = Setting(
    "seed",
    str(DEFAULT_SEED),
    "Where all random numbers start: the same seed gives the same losses.",
    allowed="a whole number, at least 0 and below 2^63",
)
DEVICE = Setting(
    "device",
    "auto",
    "auto takes a GPU that can be used, and says why if there is none; the others insist.",
    choices=DEVICE_NAMES,
)
"""Both are asked of a run, and no part of its recipe; the values are what they are unless changed."""
OUTSIDE_RECIPE = (SEED.key, DEVICE.key)


class ForkOf(msgspec.Struct, frozen=True):
    """The checkpoint that a run goes on from."""

    parent: str
    """`RUN@STEP`."""
    config: RunConfig
    """The parent's."""
    rate: float = 0.0
    """The learning rate that it had there, which may have been turned; 0 where that is not known."""


class InHand(msgspec.Struct, frozen=True, dict=True):
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

    @cached_property
    def unchanged(self) -> dict[str, str]:
        """The settings' values where only the kinds of tables are changed: the recipe's, or what such a kind has."""
        own = {setting.key: setting.value for setting in settings(self.own)}
        kinds = [
            f"{setting.key}={setting.value}"
            for setting in settings(self.recipe)
            if setting.kinds and setting.value != own.get(setting.key)
        ]
        return {setting.key: setting.value for setting in settings(override(self.own, kinds))} | {
            setting.key: own[setting.key] for setting in settings(self.recipe) if setting.kinds and setting.key in own
        }

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The recipe's settings that are not as it has them, or that were set to stay as they are."""
        return tuple(
            setting.key
            for setting in settings(self.recipe)
            if setting.value != self.unchanged.get(setting.key) or setting.key in self.kept
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
        """Another recipe with the same changes on top, as far as it has such settings."""
        recipe, _ = override_each(own, self.assignments)
        return msgspec.structs.replace(self, name=name, own=own, recipe=recipe, kept=_kept(recipe, self.changed))

    def with_value(self, key: str, text: str) -> "InHand":
        """The same with another value of one setting.

        Raises:
            UsageError: it is not allowed; the sentence says what is.
            CifartuiError, OSError: it names a network that is not there or cannot be read.
        """
        if self.fork and key in (*FIXED, SEED.key):
            raise UsageError(f"A fork has the {key} of its parent: what the checkpoint holds would not fit another.")
        if key == SEED.key:
            if not text.isdecimal():
                raise UsageError(f"seed = {printable(text, 40)!r} is not allowed: a whole number is expected.")
            check_seed(int(text))
            return msgspec.structs.replace(self, seed=text)
        if key == DEVICE.key:
            return msgspec.structs.replace(self, device=cast(DeviceName, text))
        if key == NETWORK:
            load_network(text)
        assignment = f"{key}={text}"
        override(self.recipe, [assignment])
        if any(setting.key == key and setting.kinds for setting in settings(self.recipe)):
            recipe, _ = override_each(override(self.own, [assignment]), self._without(key))
        else:
            recipe = override(self.recipe, [assignment])
        return msgspec.structs.replace(self, recipe=recipe, kept=_kept(recipe, self.kept))

    def _without(self, key: str) -> list[str]:
        """What was changed but for one setting, so that a kind of table that comes back has the recipe's own values."""
        return [assignment for assignment in self.assignments if assignment.partition("=")[0] != key]


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


def _kept(recipe: Recipe, keys: "frozenset[str] | tuple[str, ...]") -> frozenset[str]:
    """Those of some settings that a recipe has."""
    return frozenset(keys) & {setting.key for setting in settings(recipe)}
