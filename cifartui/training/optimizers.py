"""The optimizer of a recipe, as torch's; each leaves out a step, on the device, where a flag there says so."""

from typing import Any

import torch
from torch import nn

from cifartui.training.recipes.optimizers import AnyOptimizer


class RMSprop(torch.optim.RMSprop):
    """torch's, which has no fused kernel; it leaves out a step as those do.

    A fused kernel reads the flag `found_inf` `[]` and changes nothing where it is not 0. Here weights and state are
    remembered before the step, and chosen after it.
    """

    found_inf: torch.Tensor

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure, which none here gives
        """Take a step, or leave it out."""
        weights = [w for group in self.param_groups for w in group["params"] if w.grad is not None]
        self._start_momentum(weights)
        former = [weight.clone() for weight in weights]
        former_state = [{field: value.clone() for field, value in self.state[weight].items()} for weight in weights]
        super().step()
        changed, kept = list(weights), former
        for weight, state in zip(weights, former_state, strict=True):
            for field, value in self.state[weight].items():
                if value.device == weight.device:  # but for the count of steps beside Apple's GPUs, which nothing reads
                    changed.append(value)
                    kept.append(state[field] if state else torch.zeros_like(value))
        left_out = self.found_inf != 0
        for now, before in zip(changed, kept, strict=True):
            now.copy_(torch.where(left_out, before, now))

    def _start_momentum(self, weights: list[torch.Tensor]) -> None:
        """From 0 where state without it was restored: a run can go on with momentum from one that had none."""
        if self.param_groups[0]["momentum"]:
            for weight in weights:
                if state := self.state[weight]:
                    state.setdefault("momentum_buffer", torch.zeros_like(weight))


def make_optimizer(module: nn.Module, settings: AnyOptimizer) -> torch.optim.Optimizer:
    """The optimizer of a recipe, for all weights of a module; fused: one kernel updates all, not one for each."""
    groups = _groups(list(module.parameters()), settings)
    if settings.TORCH_CLASS == "RMSprop":
        on_cuda = any(weight.is_cuda for weight in module.parameters())
        return RMSprop(groups, **settings.arguments(), capturable=on_cuda)  # with its count of steps on the GPU
    kind = getattr(torch.optim, settings.TORCH_CLASS)
    optimizer: torch.optim.Optimizer = kind(groups, **settings.arguments(), fused=True)
    return optimizer


def _groups(weights: list[nn.Parameter], settings: AnyOptimizer) -> list[dict[str, Any]]:
    """All weights, those without weight decay apart: biases and norm layers have one dimension, all others more."""
    if settings.decay_norm_and_bias or not settings.weight_decay:
        return [{"params": weights}]
    apart: list[dict[str, Any]] = [
        {"params": [weight for weight in weights if weight.ndim > 1]},
        {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in apart if group["params"]]
