"""What the loop measures: losses and right answers, read back from the device only when they are reported."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import torch


@dataclass
class Tally:
    """Sums over a stretch of steps."""

    batches: int = 0
    images: int = 0
    loss_sum: float = 0.0
    correct: int = 0

    def add(self, losses: list[float], images: int, correct: int) -> None:
        """Take in some steps; a loss that is no finite number, whose step was not applied, counts for nothing."""
        for loss in losses:  # one by one, as the tutorial adds them up
            if math.isfinite(loss):
                self.loss_sum += loss
                self.batches += 1
        self.images += images
        self.correct += correct

    def facts(self) -> dict[str, float]:
        """Its fields."""
        return asdict(self)

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

    def forget(self) -> None:
        """Start anew."""
        self._pending = []
        self.report, self.log, self.epoch = Tally(), Tally(), Tally()

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
    """Seconds spent training; it stands still for what is not training."""

    def __init__(self) -> None:
        self._halts = 0
        self.set(0.0)

    def set(self, seconds: float) -> None:
        """Go on from so many seconds."""
        self._before, self._since = seconds, time.monotonic()

    def read(self) -> float:
        """Seconds so far."""
        return self._before if self._halts else self._before + time.monotonic() - self._since

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Stand still for the length of a `with` block."""
        self._before = self.read()
        self._halts += 1
        try:
            yield
        finally:
            self._halts -= 1
            self._since = time.monotonic()
