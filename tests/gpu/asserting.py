"""A network that breaks its GPU's context, as a factory that a recipe can name."""

import torch

from tests.training.troubled import TROUBLED_STEP, Troubled


class Asserting(Troubled):
    """One step looks up what is not there: a device-side assert, after which nothing on the device can be trusted."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]`."""
        logits = super().forward(x)
        if self.steps == TROUBLED_STEP:
            return logits + logits.new_zeros(10)[torch.full((10,), 99, device=x.device)]
        return logits
