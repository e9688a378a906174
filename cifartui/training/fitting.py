"""What follows the data set: a network's layers, and settings of a recipe that the user did not set himself."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from cifartui.dataset.store import DatasetFacts
from cifartui.model.adapting import Adaptation, adapted
from cifartui.model.network import Network
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import settings

LOG_EVERY = "log_every"
HELD_OUT = "validation.images"
LOG_LINES = 5
"""At least so many an epoch, where the recipe would bring none."""
HELD_OUT_SHARE = 10
"""One image in so many is held out, where the recipe would hold out more than half."""
ROUND_NUMBERS = (1, 2, 5, *(number * 10**power for power in range(6) for number in (10, 20, 25, 50)))


class Fitted(NamedTuple):
    """A recipe as a data set wants it, and what that changed."""

    recipe: Recipe
    changes: dict[str, str]
    """By the setting's key, why it is another than the recipe's: `an epoch has 1,250 mini-batches; …`."""

    @property
    def clauses(self) -> tuple[str, ...]:
        """The changes for people: `log_every = 250: an epoch has 1,250 mini-batches; …`."""
        values = {setting.key: setting.value for setting in settings(self.recipe)}
        return tuple(f"{key} = {values[key]}: {why}" for key, why in self.changes.items())


def fit_network(network: Network, facts: DatasetFacts) -> Adaptation:
    """The network as a data set wants it."""
    return adapted(network, facts.image_shape, len(facts.classes))


def fit_recipe(recipe: Recipe, facts: DatasetFacts, kept: Collection[str] = ()) -> Fitted:
    """Let `log_every` and `validation.images` follow a data set, but for those whose keys are in `kept`.

    Held out are the images that the data set brings for that; else a tenth, where the recipe would hold out more than
    half. A recipe that would bring no log line in an epoch logs at least five times.
    """
    changes: dict[str, str] = {}
    if HELD_OUT not in kept:
        images, why = _held_out(recipe.validation.images, facts)
        if why:
            recipe = msgspec.structs.replace(
                recipe, validation=msgspec.structs.replace(recipe.validation, images=images)
            )
            changes[HELD_OUT] = why
    steps = steps_per_epoch(recipe, facts)
    if LOG_EVERY not in kept and recipe.log_every > steps:
        changes[LOG_EVERY] = f"an epoch has {steps:,} mini-batches; the recipe says {recipe.log_every:,}"
        recipe = msgspec.structs.replace(recipe, log_every=_round_number(steps // LOG_LINES))
    return Fitted(recipe, changes)


def trained_images(recipe: Recipe, facts: DatasetFacts) -> int:
    """Training images that are left when the held-out ones are taken away."""
    return facts.train if facts.validation else facts.train - recipe.validation.images


def steps_per_epoch(recipe: Recipe, facts: DatasetFacts) -> int:
    """Mini-batches of one epoch, the last perhaps smaller."""
    return -(-trained_images(recipe, facts) // recipe.batch_size)


def _held_out(wanted: int, facts: DatasetFacts) -> tuple[int, str]:
    """How many images to hold out, and why not as many as the recipe says; empty where it is as it says."""
    if facts.validation:
        if facts.validation == wanted:
            return wanted, ""
        return facts.validation, f"the data set brings {facts.validation:,} images for that; the recipe says {wanted:,}"
    if 2 * wanted <= facts.train:
        return wanted, ""
    tenth = max(1, facts.train // HELD_OUT_SHARE)
    return tenth, f"a tenth of {facts.train:,} training images; the recipe says {wanted:,}"


def _round_number(most: int) -> int:
    """The largest round number that is not more than `most`; 1 at least."""
    return max((number for number in ROUND_NUMBERS if number <= most), default=1)
