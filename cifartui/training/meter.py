"""What the loop measures: losses and right answers, read back from the device only when they are reported."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Tally:
    """Sums over a stretch of steps."""

    def __init__(self) -> None:
        self.batches = 0
        self.images = 0
        self.loss_sum = 0.0
        self.correct = 0

    def add(self, losses: list[float], images: int, correct: int) -> None:
        """Take in some steps."""
        for loss in losses:  # one by one, as the tutorial adds them up
            self.loss_sum += loss
        self.batches += len(losses)
        self.images += images
        self.correct += correct

    @property
    def loss(self) -> float:
        """Mean over the batches."""
        return self.loss_sum / self.batches if self.batches else 0.0

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0-1."""
        return self.correct / self.images if self.images else 0.0


class Meter:
    """Collects the steps' losses and logits on the device and tallies them when asked to."""

    def __init__(self) -> None:
        self._pending: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self.report, self.log, self.epoch = Tally(), Tally(), Tally()

    def add(self, loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Remember one step; nothing is computed yet."""
        self._pending.append((loss.detach(), logits.detach(), labels))

    def read(self) -> None:
        """Bring the pending steps into the three tallies; the only place where the loop waits for the device."""
        if not self._pending:
            return
        losses, logits, labels = zip(*self._pending, strict=True)
        self._pending = []
        answers, truth = torch.cat(logits).argmax(dim=1), torch.cat(labels)
        values = torch.stack(losses).tolist()
        correct = int((answers == truth).sum())
        for tally in (self.report, self.log, self.epoch):
            tally.add(values, len(truth), correct)


class Stopwatch:
    """Seconds spent training; it can be halted for what is not training."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since = time.monotonic()

    def read(self) -> float:
        """Seconds so far."""
        return self._before + time.monotonic() - self._since

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Stand still for the length of a `with` block."""
        self._before = self.read()
        try:
            yield
        finally:
            self._since = time.monotonic()
