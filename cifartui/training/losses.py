"""The losses that a recipe can name: how wrong the outputs for a batch are."""

from functools import partial
from typing import Protocol

from torch import Tensor
from torch.nn import functional

from cifartui.training.recipes.recipe import Recipe


class Loss(Protocol):
    """From outputs `[N, classes]` and labels `[N]` to one number: the mean over the batch, or the sum."""

    def __call__(
        self, outputs: Tensor, labels: Tensor, /, *, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> Tensor: ...


LOSSES: dict[str, Loss] = {"cross_entropy": functional.cross_entropy}
"""By the names that recipes give them."""


def training_loss(recipe: Recipe) -> Loss:
    """The loss that a recipe trains with; networks are judged without its label smoothing."""
    loss = LOSSES[recipe.loss]
    return partial(loss, label_smoothing=recipe.label_smoothing) if recipe.label_smoothing else loss
