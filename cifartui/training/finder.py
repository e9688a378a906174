"""The learning-rate finder: the loss while the rate goes up from mini-batch to mini-batch (Smith 2015, fastai)."""

import math
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import count, islice
from typing import cast

import msgspec
import torch

from cifartui.training.loading.batches import Batch
from cifartui.training.rate_rules import HIGHEST, LOWEST, RATES, RatesFound, RateTried, Smoothing, suggest
from cifartui.training.recipes.schedules import Constant
from cifartui.training.run.folder import RunConfig
from cifartui.training.setup import Job, prepare
from cifartui.training.state import Generators

IMAGES_PER_RATE = 128
"""Smaller batches are trained several at a rate: the loss of four images alone says little, and moves little."""
MOST_TIMES_BEST = 4.0
"""A running mean of so many times its lowest has left the valley for good, as in fastai."""


def find_rates(config: RunConfig) -> Generator[RateTried | RatesFound, None, None]:
    """Train as a run would, but for the rate, which goes up from `LOWEST` to `HIGHEST`; last, what is suggested.

    A schedule of the recipe is left out: what is suggested is the recipe's rate, of which the schedule is a share.
    It ends early where the loss runs away. Network, optimizer and batches are set up as for the run and thrown away;
    nothing is written, and torch's generators are afterwards what they were.

    Raises:
        CifartuiError: device, data set or network cannot be used, or memory does not suffice.
    """
    settings = msgspec.structs.replace(config.settings, schedule=Constant())
    with _generators_kept():
        job = prepare(msgspec.structs.replace(config, settings=settings))
        tried: list[RateTried] = []
        with closing(_batches(job)) as batches:
            for point in _go_up(job, batches):
                tried.append(point)
                yield point
        yield suggest(tried)


def _go_up(job: Job, batches: Iterator[Batch]) -> Iterator[RateTried]:
    smoothing, best = Smoothing(), math.inf
    batches_per_rate = max(1, IMAGES_PER_RATE // job.recipe.batch_size)
    for number in range(1, RATES + 1):
        rate = LOWEST * (HIGHEST / LOWEST) ** ((number - 1) / (RATES - 1))
        job.rate.turn(rate)
        losses = []
        for images, labels in islice(batches, batches_per_rate):
            losses.append(job.engine.take(images, labels, job.position.step)[0])
            job.position.step += 1
        loss = torch.stack(losses).mean().item()
        if not math.isfinite(loss):
            yield RateTried(number, rate, None, None)
            return
        smoothed = smoothing.add(loss)
        best = min(best, smoothed)
        yield RateTried(number, rate, loss, smoothed)
        if smoothed > MOST_TIMES_BEST * best:
            return


def _batches(job: Job) -> Generator[Batch, None, None]:
    """The run's batches, epoch after epoch."""
    for epoch in count(1):
        with closing(cast("Generator[Batch, None, None]", job.batches.in_order(job.order.epoch(epoch)))) as batches:
            yield from batches


@contextmanager
def _generators_kept() -> Iterator[None]:
    generators = Generators()
    before = generators.tensors()
    try:
        yield
    finally:
        generators.restore(before, {})
