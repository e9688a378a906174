"""The optimizer of a recipe, as torch's; fused: one kernel updates all weights, not one for each."""

import torch
from torch import nn

from cifartui.training.recipes.optimizers import AnyOptimizer


def make_optimizer(module: nn.Module, settings: AnyOptimizer) -> torch.optim.Optimizer:
    """The optimizer of a recipe, for all weights of a module."""
    kind = getattr(torch.optim, settings.TORCH_CLASS)
    optimizer: torch.optim.Optimizer = kind(module.parameters(), **settings.arguments(), fused=True)
    return optimizer
