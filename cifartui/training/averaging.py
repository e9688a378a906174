"""An average of the weights over the steps, beside the weights themselves."""

import copy
from itertools import chain
from typing import Any

import torch
from torch import nn

AVERAGE = "average"
"""The name of this part of a checkpoint."""


class WeightAverage:
    """An exponential moving average of a network's weights: torch's AveragedModel with `get_ema_multi_avg_fn`.

    It begins with the weights after the first step that was applied; whether a step was is decided on the device.
    Running means and variances of norm layers are averaged, too (`use_buffers`): those of the last step belong to
    other weights than the average's. Buffers of whole numbers, which have no average, are the network's.
    """

    name = AVERAGE

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Of the weights that `module` has, and comes to have."""
        self.module = copy.deepcopy(module).requires_grad_(False)
        pairs = list(zip(_all_tensors(self.module), _all_tensors(module), strict=True))
        self._average = [mean for mean, _ in pairs if mean.is_floating_point()]
        self._latest = [now for _, now in pairs if now.is_floating_point()]
        self._whole_numbers = [(mean, now) for mean, now in pairs if not mean.is_floating_point()]
        self._share = 1 - decay
        self._updates = torch.zeros((), device=self._average[0].device)
        self._has_begun = False
        """Whether some step is known to be in it."""

    @torch.no_grad()
    def update(self, left_out: torch.Tensor) -> None:
        """Take in the weights after a step, unless the flag `left_out` `[]` says that it was not applied."""
        if not self._has_begun:
            self._begin()
        left_out = left_out != 0
        towards = [torch.where(left_out, mean, now) for mean, now in zip(self._average, self._latest, strict=True)]
        torch._foreach_lerp_(self._average, towards, self._share)
        for mean, now in self._whole_numbers:
            mean.copy_(now)
        self._updates += ~left_out

    def _begin(self) -> None:
        """Start from the weights as they are, unless a step is in it; what is not known costs no waiting to ask."""
        is_empty = self._updates == 0
        for mean, now in zip(self._average, self._latest, strict=True):
            mean.copy_(torch.where(is_empty, now, mean))
        self._has_begun = self._updates.device.type == "cpu" and not is_empty

    def tensors(self) -> dict[str, torch.Tensor]:
        """The averaged weights and buffers, under their own names."""
        return dict(self.module.state_dict())

    def facts(self) -> dict[str, Any]:
        """How many steps are in it."""
        updates = int(self._updates)
        self._has_begun = updates > 0
        return {"updates": updates}

    def restore(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """Take back what `tensors` and `facts` gave."""
        self.module.load_state_dict(tensors)
        self._updates.fill_(facts["updates"])
        self._has_begun = facts["updates"] > 0


def _all_tensors(module: nn.Module) -> list[torch.Tensor]:
    return [tensor.detach() for tensor in chain(module.parameters(), module.buffers())]
