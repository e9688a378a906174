"""The step: forward, loss, backward, update."""

from typing import NamedTuple

import torch
from torch import nn

from cifartui.errors import CifartuiError
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.losses import Loss


class OutOfMemory(CifartuiError):
    """A step that the device has no memory for."""

    fits = 0


class NotFinite(NamedTuple):
    """The first step whose numbers were not finite."""

    step: int
    what: str
    skipped: int


class StepEngine:
    """Takes optimizer steps; what runs it is its own affair."""

    def __init__(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, augment: Augmenter, loss: Loss, device: torch.device
    ) -> None:
        self._module, self._optimizer, self._augment, self._loss = module, optimizer, augment, loss
        self.images_at_once = 0
        self._first_bad = torch.full((), -1, device=device)

    def take(self, images: torch.Tensor, labels: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Take a step."""
        self._optimizer.zero_grad()
        logits = self._module(self._augment(images, step))
        loss = self._loss(logits, labels)
        loss.backward()
        self._optimizer.step()
        is_first = ~torch.isfinite(loss.detach()) & (self._first_bad < 0)
        self._first_bad = torch.where(is_first, step + 1, self._first_bad)
        return loss.detach(), logits.detach()

    def not_finite(self) -> NotFinite | None:
        """The first step since the last call whose loss was not finite."""
        step = int(self._first_bad)
        if step < 0:
            return None
        self._first_bad = torch.full_like(self._first_bad, -1)
        return NotFinite(step, "the loss", 1)
