"""Curves of bounded length: one point for so many steps, the same whether a run was taken up again or not."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, Self, TypeVar

MAX_POINTS = 1_024
"""Of each curve."""


class Thinned(Protocol):
    """What a curve is made of."""

    @property
    def step(self) -> int:
        """The last step that it tells of."""
        ...

    def merged(self, later: Self) -> Self:
        """One point for two."""
        ...


Part = TypeVar("Part", bound=Thinned)


class Point(NamedTuple):
    """One point of the training curves."""

    step: int
    loss: float | None
    """None where the loss was not finite."""
    accuracy: float
    reports: int = 1
    """Over which both are means."""
    seconds: float = 0.0
    """Spent training up to then."""

    def merged(self, later: "Point") -> "Point":
        """The mean over the reports of both."""
        reports = self.reports + later.reports
        share = later.reports / reports
        loss = None
        if self.loss is not None and later.loss is not None:
            loss = self.loss + (later.loss - self.loss) * share
        accuracy = self.accuracy + (later.accuracy - self.accuracy) * share
        return Point(later.step, loss, accuracy, reports, later.seconds)


class ValidationPoint(NamedTuple):
    """The network's result on the held-out images at a step."""

    step: int
    accuracy: float
    loss: float | None
    seconds: float = 0.0
    """Spent training up to then."""

    def merged(self, later: "ValidationPoint") -> "ValidationPoint":
        """The better one, the earlier of equals."""
        return later if later.accuracy > self.accuracy else self


def steps_per_point(steps: int) -> int:
    """The power of two that is the least number of steps to a point, so that all points are `MAX_POINTS` at most."""
    return 1 << max(0, (max(1, steps) - 1).bit_length() - MAX_POINTS.bit_length() + 1)


def take_in(curve: list[Part], point: Part, width: int) -> None:
    """Add a point to a curve of `width` steps a point."""
    if curve and _place(curve[-1], width) == _place(point, width):
        curve[-1] = curve[-1].merged(point)
    else:
        curve.append(point)


def widened(curve: Iterable[Part], width: int) -> list[Part]:
    """The same curve with more steps a point."""
    wider: list[Part] = []
    for point in curve:
        take_in(wider, point, width)
    return wider


def last_widened(curve: Sequence[Part], last: Part | None, width: int) -> Part | None:
    """What the last point of a curve that went only as far as `last` would be with more steps a point."""
    if last is None:
        return None
    place = _place(last, width)
    return widened(
        [*(point for point in curve if point.step < last.step and _place(point, width) == place), last], width
    )[-1]


def cut_back(curve: Sequence[Part], last: Part | None, width: int) -> list[Part]:
    """A curve as it was when `last` was its last point; None for when it had none."""
    if last is None:
        return []
    return [*(point for point in curve if _place(point, width) < _place(last, width)), last]


def _place(point: Thinned, width: int) -> int:
    return (point.step - 1) // width
