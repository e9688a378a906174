"""The losses that a recipe can name: how wrong the outputs for a batch are."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional


class Loss(Protocol):
    """From outputs `[N, classes]` and labels `[N]` to one number: the mean over the batch, or the sum."""

    def __call__(self, outputs: Tensor, labels: Tensor, /, *, reduction: str = "mean") -> Tensor: ...


LOSSES: dict[str, Loss] = {"cross_entropy": functional.cross_entropy}
"""By the names that recipes give them."""
