"""In which numbers a network computes while it trains; its weights are float32 in every case."""

from contextlib import AbstractContextManager, nullcontext

import torch

from cifartui.training.recipes.recipe import PrecisionName

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """The precision of a recipe on a device, by torch's own parts: autocast, and a scaler of the loss for fp16."""

    scaler: torch.amp.GradScaler | None
    """Scales the loss up, so that small gradients do not become 0 in fp16."""

    def __init__(self, name: PrecisionName, device: torch.device) -> None:
        self._dtype, self._device = AUTOCAST.get(name), device
        self.scaler = torch.amp.GradScaler(device.type) if name == "fp16" else None

    def computing(self) -> AbstractContextManager[object]:
        """Around the forward pass and the loss."""
        return torch.autocast(self._device.type, dtype=self._dtype) if self._dtype else nullcontext()

    def differentiate(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss to the weights' `grad`, scaled where there is a scaler."""
        (self.scaler.scale(loss) if self.scaler else loss).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Take the scale out of the gradients of an optimizer's weights; what overflowed stays infinite or NaN."""
        if self.scaler:
            self.scaler.unscale_(optimizer)

    def end_step(self) -> None:
        """Halve the scale where a gradient overflowed; double it after 2,000 steps where none did."""
        if self.scaler:
            self.scaler.update()

    def abandon_step(self) -> None:
        """Forget a step that came to no end; the scale stays."""
        if self.scaler:
            scale = self.scaler.state_dict()
            self.scaler = torch.amp.GradScaler(self._device.type)
            self.scaler.load_state_dict(scale)


def set_products(name: PrecisionName, device: torch.device) -> None:
    """Let a GPU shorten the factors of float32 products to 10 bits of fraction for `tf32`, and for nothing else.

    Without this torch shortens those of convolutions and not those of matrix products.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = name == "tf32"
