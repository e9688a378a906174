"""The tutorial's network with troubles of its own, as factories that a recipe can name."""

import torch

from tests.tutorial import Net

TROUBLED_STEP = 70
"""The step, counted from 1, at which a trouble comes; of the 200 sketches' epochs of 50 steps it is in the second."""


class Troubled(Net):
    """Counts the steps that it takes part in."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]`; trouble where it is time for it."""
        self.steps += self.training
        return super().forward(x)


class NanOnce(Troubled):
    """The logits of one step are NaN."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]`."""
        logits = super().forward(x)
        return logits * torch.nan if self.steps == TROUBLED_STEP else logits


class Narrow(Troubled):
    """From one step on, no more than two images fit into the memory at once."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]`."""
        logits = super().forward(x)
        if self.steps >= TROUBLED_STEP and len(x) > 2:
            raise torch.OutOfMemoryError("no room")
        return logits


class Failing(Troubled):
    """The device fails in one step."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]`."""
        logits = super().forward(x)
        if self.steps == TROUBLED_STEP:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure\nand advice for developers")
        return logits
