"""What settings of a recipe ask of each other: checked before anything starts, without torch."""

from cifartui.errors import UsageError
from cifartui.training.recipes.optimizers import SGD
from cifartui.training.recipes.recipe import Recipe


def require_sense(recipe: Recipe) -> None:
    """Check the settings that are allowed alone but not together.

    Raises:
        UsageError: some are not; the sentence names key, value and what is allowed.
    """
    optimizer = recipe.optimizer
    if isinstance(optimizer, SGD) and optimizer.nesterov and not optimizer.momentum:
        raise UsageError(
            "optimizer.nesterov = true is not allowed: it needs momentum, and optimizer.momentum is 0; set one of them."
        )
