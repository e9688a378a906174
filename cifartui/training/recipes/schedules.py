"""The schedules that a recipe can name: how the learning rate goes over the run, as pure functions of the step.

A factor of 1 is the recipe's rate. Each kind is one of torch.optim.lr_scheduler's, stepped once a step.
"""

import math
from typing import Annotated, Literal

import msgspec

from cifartui.training.recipes.described import described

EndFactor = Annotated[
    float, described("What is left of the learning rate at the end, as a share of the recipe's.", ge=0, le=1)
]


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name"):
    """How the learning rate goes over the run."""

    def factor(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """The learning rate of the step that follows `step` steps of a run, as a share of the recipe's."""
        raise NotImplementedError

    @property
    def varies(self) -> bool:
        """Whether it is ever another than 1."""
        return True


class WarmedUp(Schedule, frozen=True, kw_only=True):
    """A schedule that can begin with a straight rise to the recipe's rate, whose first step is above 0."""

    warmup_epochs: Annotated[
        float,
        described(
            "Epochs, or a fraction of one, over which the learning rate rises in a straight line at the start; 0: it "
            "does not.",
            ge=0,
            le=100_000,
        ),
    ] = 0.0

    def factor(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        warmup = round(self.warmup_epochs * steps_per_epoch)
        rise = (step + 1) / warmup if step < warmup else 1.0
        return rise * self._course(step, warmup, steps_per_epoch, epochs)

    def _course(self, step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor apart from the rise over the first `warmup` steps."""
        raise NotImplementedError


class Constant(WarmedUp, frozen=True, kw_only=True, tag="constant"):
    """The same rate all along."""

    @property
    def varies(self) -> bool:
        return self.warmup_epochs > 0

    def _course(self, step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
        return 1.0


class StepDecay(WarmedUp, frozen=True, kw_only=True, tag="step"):
    """A fall every so many epochs, counted from the start of the run."""

    every_epochs: Annotated[int, described("Epochs from one fall to the next.", ge=1, le=100_000)] = 10
    gamma: Annotated[float, described("What is left of the learning rate at each fall.", gt=0, le=1)] = 0.1

    def _course(self, step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
        return self.gamma ** (step // (self.every_epochs * steps_per_epoch))


class Linear(WarmedUp, frozen=True, kw_only=True, tag="linear"):
    """A straight fall from the end of the warm-up to the end of the run."""

    end_factor: EndFactor = 0.0

    def _course(self, step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
        return 1 + (self.end_factor - 1) * _share_of_the_rest(step, warmup, steps_per_epoch, epochs)


class Cosine(WarmedUp, frozen=True, kw_only=True, tag="cosine"):
    """Half a cosine from the end of the warm-up to the end of the run (Loshchilov, Hutter 2016)."""

    end_factor: EndFactor = 0.0

    def _course(self, step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
        return _cosine(1.0, self.end_factor, _share_of_the_rest(step, warmup, steps_per_epoch, epochs))


class OneCycle(Schedule, frozen=True, kw_only=True, tag="one_cycle"):
    """A rise to the recipe's rate, which is its warm-up, and a long fall to almost nothing (Smith, Topin 2017)."""

    pct_start: Annotated[float, described("Share of the run in which the learning rate rises.", gt=0, lt=1)] = 0.3
    div_factor: Annotated[
        float, described("How many times smaller than the recipe's rate it is at the start.", ge=1, le=1e9)
    ] = 25.0
    final_div_factor: Annotated[
        float, described("How many times smaller than at the start it is at the end.", ge=1, le=1e12)
    ] = 10_000.0
    anneal_strategy: Annotated[
        Literal["cos", "linear"], described("Whether it rises and falls along half a cosine or a straight line.")
    ] = "cos"

    def factor(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        start = 1 / self.div_factor
        anneal = _cosine if self.anneal_strategy == "cos" else _straight
        last = steps_per_epoch * epochs - 1
        highest, step = self.pct_start * (last + 1) - 1, min(step, last)
        if step <= highest:
            return anneal(start, 1.0, step / highest) if highest else 1.0
        return anneal(1.0, start / self.final_div_factor, (step - highest) / (last - highest))


AnySchedule = Constant | StepDecay | Linear | Cosine | OneCycle


def _share_of_the_rest(step: int, warmup: int, steps_per_epoch: int, epochs: int) -> float:
    """How much of what follows the warm-up is over, 0-1; a run shorter than its warm-up has one step more."""
    rest = max(1, steps_per_epoch * epochs - warmup)
    return min(1.0, max(0.0, (step - warmup) / rest))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _straight(start: float, end: float, share: float) -> float:
    return start + (end - start) * share
