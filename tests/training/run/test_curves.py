"""Curves of bounded length that can be cut back to where they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cifartui.training.run.curves import (
    MAX_POINTS,
    Point,
    ValidationPoint,
    cut_back,
    last_widened,
    steps_per_point,
    take_in,
    widened,
)


def curve_of(steps: list[int], width: int) -> list[Point]:
    curve: list[Point] = []
    for step in steps:
        take_in(curve, Point(step, step / 7, step / 1_000), width)
    return curve


@given(steps=st.lists(st.integers(1, 300), min_size=1, unique=True).map(sorted), kept=st.integers(1, 20))
def test_curve_made_coarser_can_still_be_cut_back(steps: list[int], kept: int) -> None:
    """To what it would be if it had been made coarser when it had only so many points."""
    before, whole = curve_of(steps[:kept], 2), curve_of(steps, 2)
    last = last_widened(whole, before[-1], 16)
    cut = cut_back(widened(whole, 16), last, 16)
    expected = widened(before, 16)
    assert [(point.step, point.reports) for point in cut] == [(point.step, point.reports) for point in expected]
    assert [point.loss for point in cut] == pytest.approx([point.loss for point in expected])


def test_points_are_powers_of_two_and_few() -> None:
    """As fine as there is room for."""
    for steps in (0, 1, MAX_POINTS, MAX_POINTS + 1, 25_000, 10**9):
        width = steps_per_point(steps)
        assert width & (width - 1) == 0
        assert steps / width <= MAX_POINTS
        assert width == 1 or 2 * steps / width > MAX_POINTS
    assert last_widened(curve_of([1, 2], 1), None, 8) is None
    assert cut_back(curve_of([1, 2], 1), None, 1) == []


def test_what_two_points_become() -> None:
    """The mean over all reports, none where one was not finite; of validations the better, the earlier of equals."""
    assert Point(1, 1.0, 0.0, 3).merged(Point(2, 5.0, 1.0)) == Point(2, 2.0, 0.25, 4)
    assert Point(1, None, 0.0).merged(Point(2, 5.0, 1.0)) == Point(2, None, 0.5, 2)
    first, equal, better = (ValidationPoint(step, accuracy, 1.0) for step, accuracy in ((1, 0.5), (2, 0.5), (3, 0.6)))
    assert first.merged(equal) == first
    assert first.merged(better) == better
