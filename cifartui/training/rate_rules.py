"""What the learning-rate finder finds, and the rules by which it suggests a rate; without torch."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, takewhile
from typing import Literal

import msgspec

LOWEST, HIGHEST = 1e-7, 10.0
"""The learning rates between which the finder goes up."""
RATES = 150
"""How many it tries, at equal ratios: 19 in each power of ten."""
SMOOTHING = 0.9
"""Share of the running mean of the losses that stays at each rate."""
LEAST_POINTS = 10
"""Fewer say nothing."""
LEAST_FALL = 0.005
"""Of the loss at the beginning; what falls less than that may be chance."""
DIGITS = 2
"""Of a suggestion: the curve is no more exact than that."""

Rule = Literal["valley", "steepest"]


class RateTried(msgspec.Struct, frozen=True, tag=True):
    """What the loss was at one learning rate."""

    number: int
    """From 1 to `RATES`."""
    rate: float
    loss: float | None
    """Mean over its mini-batches, before each one's update; None when it is not a finite number."""
    smoothed: float | None
    """The running mean up to here; None from the first loss on that is not finite."""


class Suggestion(msgspec.Struct, frozen=True):
    """A learning rate to train with."""

    rule: Rule
    rate: float
    why: str
    """What the rule looks for, in words."""


class RatesFound(msgspec.Struct, frozen=True, tag=True):
    """What the whole curve says."""

    suggestions: tuple[Suggestion, ...]
    """The most careful first; none if the curve gives none."""
    problem: str = ""
    """Why there is none, and what to do, in a sentence."""


class Smoothing:
    """The running mean of a series, corrected for its start from 0 as Adam corrects its own (Kingma, Ba 2014)."""

    def __init__(self) -> None:
        self._sum, self._weight = 0.0, 0.0

    def add(self, loss: float) -> float:
        """Take in the next value and return the mean so far."""
        self._sum = SMOOTHING * self._sum + (1 - SMOOTHING) * loss
        self._weight = SMOOTHING * self._weight + 1 - SMOOTHING
        return self._sum / self._weight


def suggest(tried: Iterable[RateTried]) -> RatesFound:
    """Read suggestions from a whole curve.

    As fastai does, the first tenth, whose running mean is of few losses, and the last five, which have left the valley,
    are not looked at.
    """
    points = [(point.rate, point.smoothed) for point in tried]
    finite = [(rate, loss) for rate, loss in takewhile(_is_finite, points) if loss is not None]
    inner = finite[len(finite) // 10 : -5]
    if len(inner) < LEAST_POINTS:
        return RatesFound(
            (),
            f"The loss was a finite number at {len(finite)} learning rates only, too few to read one from; "
            "look at the images' normalisation and the network's layers.",
        )
    rates, losses = zip(*inner, strict=True)
    lowest = min(losses)
    if losses[0] - lowest < LEAST_FALL * abs(losses[0]):
        return RatesFound(
            (),
            f"The loss fell at no learning rate: from {losses[0]:.3f} to {lowest:.3f} at best, which may be chance; "
            "try larger batches, or look at the network and the labels.",
        )
    rules: dict[Rule, tuple[Callable[[Sequence[float]], int], str]] = {
        "valley": (valley, "the middle of the longest fall of the loss"),
        "steepest": (steepest, "where the loss falls fastest"),
    }
    suggestions = [Suggestion(rule, _rounded(rates[find(losses)]), why) for rule, (find, why) in rules.items()]
    return RatesFound(tuple(sorted(suggestions, key=lambda suggestion: suggestion.rate)))


def valley(losses: Sequence[float]) -> int:
    """The place of the middle of the longest valley, fastai's default rule (`valley` in its callback/schedule.py).

    The valley is the longest decreasing subsequence of the losses; as there, it is taken to begin as many places before
    its end as it has members.
    """
    lengths = [1] * len(losses)
    """Of the longest decreasing subsequence that ends at each place."""
    for place, loss in enumerate(losses):
        lengths[place] += max((lengths[before] for before in range(place) if losses[before] > loss), default=0)
    end = lengths.index(max(lengths))
    return end - lengths[end] // 2


def steepest(losses: Sequence[float]) -> int:
    """The place after which the loss falls most, fastai's `steep` (the rates are at equal ratios: differences do).

    Only falls before the lowest loss count: those after it are the noise of a network that has left the valley.
    """
    lowest = losses.index(min(losses))
    falls = [after - before for before, after in pairwise(losses[: lowest + 1])]
    return falls.index(min(falls)) if falls else lowest


def _is_finite(point: tuple[float, float | None]) -> bool:
    return point[1] is not None and math.isfinite(point[1])


def _rounded(rate: float) -> float:
    return float(f"{rate:.{DIGITS}g}")
