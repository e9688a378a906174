"""The parts of a training script that lessons show, with the settings in hand."""

from collections.abc import Callable

from cifartui.evaluation import source as evaluation
from cifartui.model.layers import Layer
from cifartui.model.source import layer_lines
from cifartui.training.recipes import source as training
from cifartui.training.recipes.recipe import Recipe

WEIGHTS = "./cifar_net.pth"
"""The tutorial's name for the file."""
LAYER = "layer"
PARTS: dict[str, Callable[[Recipe], list[str]]] = {
    "transform": training.transform_lines,
    "loader": training.loader_lines,
    "held_out": training.held_out_lines,
    "mixing": training.mixing_lines,
    "initialization": training.initialization_lines,
    "criterion": training.criterion_lines,
    "optimizer": lambda recipe: training.optimizer_lines(recipe.optimizer),
    "schedule": lambda recipe: training.schedule_lines(recipe.schedule, recipe.optimizer, recipe.epochs),
    "device": lambda _: training.device_lines(),
    "precision": training.precision_lines,
    "memory_format": training.memory_format_lines,
    "step": training.step_lines,
    "average": training.average_lines,
    "epoch": training.epoch_lines,
    "stopping": training.stopping_lines,
    "checkpoint": lambda _: training.checkpoint_lines(),
    "saving_and_loading": lambda _: [*evaluation.saving_lines(WEIGHTS), "...", *evaluation.loading_lines(WEIGHTS)],
    "accuracy": lambda _: evaluation.accuracy_lines(),
    "per_class": lambda _: evaluation.per_class_lines(),
    "confusion": lambda _: evaluation.confusion_lines(),
}
"""By the names that lessons have for them."""


def part_lines(part: str, recipe: Recipe, layer: Layer | None = None) -> list[str]:
    """The lines of a part with the settings of a recipe, `layer` with those of a layer; none where it has no part."""
    if part == LAYER:
        return layer_lines(layer) if layer else []
    return PARTS[part](recipe)
