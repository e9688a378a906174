"""How much memory a step of a recipe takes, by arithmetic."""

from cifartui.model.memory import kept_bytes
from cifartui.model.summary import Summary
from cifartui.training.recipes.average import NoAverage
from cifartui.training.recipes.optimizers import SGD, Adam, AnyOptimizer, RMSprop
from cifartui.training.recipes.recipe import Recipe

FLOAT_BYTES = 4


def step_bytes(recipe: Recipe, summary: Summary) -> int:
    """About what a step needs: weights, gradients, the optimizer's state, an average, and what the backward pass needs.

    Of steps in 16 bits, half of what is kept in 32; libraries take more for themselves.
    """
    images = min(recipe.images_at_once or recipe.batch_size, recipe.batch_size)
    kept = kept_bytes(summary, images)
    if recipe.precision in ("bf16", "fp16"):
        kept //= 2
    has_average = not isinstance(recipe.average, NoAverage)
    tensors = FLOAT_BYTES * summary.parameters * (1 + optimizer_tensors(recipe.optimizer) + has_average)
    return summary.weight_bytes + tensors + kept


def optimizer_tensors(optimizer: AnyOptimizer) -> int:
    """How many numbers the optimizer in torch keeps for each weight."""
    match optimizer:
        case SGD():
            return int(optimizer.momentum > 0)
        case Adam():
            return 2
        case RMSprop():
            return 1 + (optimizer.momentum > 0) + optimizer.centered
