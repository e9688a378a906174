"""The numbers that any lesson can name, from what is in hand: settings, data set, network, machine."""

import math

from cifartui.dataset.store import DatasetFacts
from cifartui.lessons.topic import Value
from cifartui.model.summary import Summary
from cifartui.processor import usable_cores
from cifartui.text import size
from cifartui.training.fitting import steps_per_epoch, trained_images
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import settings


def values_in_hand(recipe: Recipe, facts: DatasetFacts | None, summary: Summary | None) -> dict[str, Value]:
    """Every setting under its own key, what follows from the settings, and what is known of images and network."""
    of_settings: dict[str, Value] = {
        setting.key: int(setting.value) if setting.value.isdigit() else setting.value for setting in settings(recipe)
    }
    return {
        **of_settings,
        **_of_settings(recipe),
        **(dataset_values(recipe, facts) if facts else {}),
        **_of_network(summary),
    }


def _of_settings(recipe: Recipe) -> dict[str, Value]:
    mean, std = recipe.normalize.mean[0], recipe.normalize.std[0]
    momentum = getattr(recipe.optimizer, "momentum", 0.0)
    return {
        "lowest": f"{-mean / std:+.3g}".replace("-", "−"),
        "highest": f"{(1 - mean) / std:+.3g}".replace("-", "−"),
        "momentum_sum": 1 / (1 - momentum),
        "log_images": recipe.log_every * recipe.batch_size,
        "cores": usable_cores(),
    }


def dataset_values(recipe: Recipe, facts: DatasetFacts) -> dict[str, Value]:
    """What is known of a data set, and how often its images make a step."""
    classes, each = len(facts.classes), steps_per_epoch(recipe, facts)
    height, width = facts.image_size
    return {
        "dataset": facts.name,
        "images": facts.train,
        "test_images": facts.test,
        "trained_images": trained_images(recipe, facts),
        "held_out_images": facts.train - trained_images(recipe, facts) or facts.validation,
        "classes": classes,
        "chance": f"{1 / classes:.0%}",
        "guessing_loss": f"{math.log(classes):.3f}",
        "height": height,
        "width": width,
        "set_mean": " ".join(f"{value:.3f}" for value in facts.mean),
        "set_std": " ".join(f"{value:.3f}" for value in facts.std),
        "steps_per_epoch": each,
        "steps": each * recipe.epochs,
    }


def _of_network(summary: Summary | None) -> dict[str, Value]:
    if summary is None:
        return {}
    return {
        "parameters": summary.parameters,
        "weight_bytes": size(summary.weight_bytes),
        "macs": summary.macs,
    }
