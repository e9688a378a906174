"""Where the time of training goes, measured by the loop itself at next to no cost."""

import math
from collections.abc import Iterator
from time import perf_counter

import torch

from cifartui.training.device_errors import is_out_of_memory
from cifartui.training.loading.batches import Batch
from cifartui.training.precision import Precision
from cifartui.training.run.events import SpeedMeasured
from cifartui.training.step import StepEngine

FIRST_SECONDS, SECONDS = 1.0, 5.0
"""Of training up to the first measurement, and from one to the next."""
LONGEST_REHEARSED = 0.1
"""Seconds of a step; in longer ones the interpreter's share is small, and a rehearsal costs more than it tells."""
REHEARSALS = 3
"""Of each size; the fastest counts, as others are slowed by something else."""
PRODUCT_SIDE = {"cpu": 512, "cuda": 4096, "mps": 2048}
"""Of the square matrices whose product tells how fast a device multiplies and adds, if nothing else limits it."""
TIMES_FORWARD = 3
"""A step multiplies so many times what a forward pass does: backwards, for the images and for the weights."""


class SpeedGauge:
    """Sums the seconds that the loop waits for batches and those it trains.

    Once, it also rehearses a step with all of a batch and with a quarter of it, which are not taken, and times a matrix
    product: what the whole takes beyond the quarter is what images cost; the rest a step takes however few it has.
    """

    def __init__(
        self, engine: StepEngine, device: torch.device, precision: Precision, macs: int, *, rehearses: bool
    ) -> None:
        """`macs` are the multiply-adds of one image's forward pass; code of the user's own is not to be rehearsed."""
        self._engine, self._device, self._precision = engine, device, precision
        self._macs, self._rehearses = macs, rehearses
        self._batch: Batch | None = None
        self._steps, self._images, self._seconds, self._waiting = 0, 0, 0.0, 0.0
        self._quickest = math.inf
        """Seconds of the quickest step with a whole batch: others are slowed by reports, or by something else."""
        self._due = FIRST_SECONDS
        self._per_image: float | None = None
        """Seconds that each image adds to a step; None while or where that is not known."""
        self._product = 0.0
        """Multiply-adds a second of a matrix product; 0 while or where that is not known."""
        self._multiplies = True
        """Whether that is still to be found out, as `_rehearses` says of the images."""

    def timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the time until each is there is taken, and that until the next one is asked for."""
        asked = perf_counter()
        for batch in batches:
            given = perf_counter()
            self._waiting += given - asked
            if self._batch is None or len(batch[1]) >= len(self._batch[1]):  # the last of an epoch may be smaller
                self._batch = batch
            yield batch
            asked = perf_counter()
            if asked - given < self._quickest and batch is self._batch:
                self._quickest = asked - given

    def add(self, steps: int, images: int, seconds: float) -> None:
        """Take in the steps since the last report."""
        self._steps += steps
        self._images += images
        self._seconds += seconds

    @property
    def is_due(self) -> bool:
        """Whether it is time for a measurement."""
        return self._seconds >= self._due and self._steps > 0

    def measure(self, step: int) -> SpeedMeasured:
        """What was measured since the last time; `step` steps were taken so far."""
        try:
            self._probe(step)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):  # then there is no room for a probe, and the training goes on
                raise
        waiting = min(self._waiting, self._seconds)
        busy = self._seconds - waiting
        fixed = None
        if self._per_image is not None and self._batch and math.isfinite(self._quickest):
            fixed = busy * max(0.0, 1 - len(self._batch[1]) * self._per_image / self._quickest)
        measured = SpeedMeasured(
            step=step,
            steps=self._steps,
            images=self._images,
            seconds=self._seconds,
            waiting=waiting,
            fixed=fixed,
            quickest=self._quickest if self._device.type == "cpu" and math.isfinite(self._quickest) else 0.0,
            multiply_adds=TIMES_FORWARD * self._macs * self._images / max(busy, 1e-9),
            multiply_adds_of_product=self._product,
        )
        self._steps, self._images, self._seconds, self._waiting = 0, 0, 0.0, 0.0
        self._quickest, self._due = math.inf, SECONDS
        return measured

    def _probe(self, step: int) -> None:
        """Find out, once, what is not known yet; steps that are too long now may be short later."""
        if self._rehearses and self._batch and self._seconds <= LONGEST_REHEARSED * self._steps:
            self._rehearses = False
            self._per_image = self._rehearse(*self._batch, step)
        if self._multiplies:
            self._multiplies = False
            self._product = self._time_product()

    def _rehearse(self, images: torch.Tensor, labels: torch.Tensor, step: int) -> float | None:
        few = max(2, len(images) // 4)
        if few >= len(images):
            return None
        whole = min(self._engine.rehearse(images, labels, step) for _ in range(REHEARSALS))
        part = min(self._engine.rehearse(images[:few], labels[:few], step) for _ in range(REHEARSALS))
        return max(0.0, whole - part) / (len(images) - few)

    def _time_product(self) -> float:
        side = PRODUCT_SIDE[self._device.type]
        factor = torch.ones(side, side, device=self._device)
        times = []
        for _ in range(REHEARSALS):
            started = perf_counter()
            with self._precision.computing(), torch.no_grad():
                torch.mm(factor, factor)[0, 0].item()  # read back, so that it is done
            times.append(perf_counter() - started)
        return side**3 / min(times)
