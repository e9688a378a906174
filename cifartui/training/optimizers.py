"""The optimizers that a recipe can name, as torch's; fused: one kernel updates all weights, not one for each."""

from collections.abc import Callable

import torch
from torch import nn

from cifartui.training.recipe import Optimizer


def _sgd(module: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    return torch.optim.SGD(module.parameters(), lr=settings.learning_rate, momentum=settings.momentum, fused=True)


OPTIMIZERS: dict[str, Callable[[nn.Module, Optimizer], torch.optim.Optimizer]] = {"sgd": _sgd}
"""By the names that recipes give them."""


def make_optimizer(module: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """The optimizer of a recipe, for all weights of a module."""
    return OPTIMIZERS[settings.name](module, settings)
