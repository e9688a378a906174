"""The learning-rate finder's rules, on curves whose answer is known."""

import math
from collections.abc import Callable

import pytest

from cifartui.training.rate_rules import (
    HIGHEST,
    LOWEST,
    RATES,
    RateTried,
    Smoothing,
    steepest,
    suggest,
    valley,
)


def curve(loss: Callable[[float], float], rates: int = RATES) -> list[RateTried]:
    """A whole curve; `loss` is a function of the rate's power of ten."""
    points = []
    for number in range(1, rates + 1):
        rate = LOWEST * (HIGHEST / LOWEST) ** ((number - 1) / (RATES - 1))
        value = loss(math.log10(rate))
        shown = value if math.isfinite(value) else None
        points.append(RateTried(number, rate, shown, shown))
    return points


def bowl(power: float) -> float:
    """Flat up to 1e-4, down in a straight line to 1e-2, up again."""
    if power <= -4:
        return 2.3
    return 2.3 - 0.5 * (power + 4) if power <= -2 else 1.3 + 2 * (power + 2)


def test_valley_is_the_middle_of_the_fall() -> None:
    """Of a straight fall from 1e-4 to 1e-2, 1e-3; whatever is before and after it."""
    (found,) = [one for one in suggest(curve(bowl)).suggestions if one.rule == "valley"]
    assert found.rate == pytest.approx(1e-3, rel=0.15)


def test_steepest_is_where_the_loss_falls_most() -> None:
    """Of a smooth step from 2.3 down by 1, its middle; a steeper fall after the lowest loss is passed over."""

    def fall(power: float) -> float:
        return 2.3 - 1 / (1 + math.exp(-6 * (power + 2.5))) if power < -0.5 else 4 - 3 * power

    (found,) = [one for one in suggest(curve(fall)).suggestions if one.rule == "steepest"]
    assert found.rate == pytest.approx(10**-2.5, rel=0.1)


def test_places_in_short_series() -> None:
    """Counted by hand; the valley need not be without a bump."""
    assert valley([5, 4, 3, 2, 1, 9]) == 2  # of five members, the third
    assert valley([1, 5, 4, 6, 3, 2, 7]) == 3  # 5 4 3 2, taken to begin four places before its end: at 4
    assert valley([1, 2, 3]) == 0
    assert steepest([5, 4, 2, 1, 9, 3]) == 1
    assert steepest([1, 2, 3]) == 0


def test_suggestions_have_two_digits_and_the_most_careful_comes_first() -> None:
    """A rate is put into a recipe as it is shown."""
    suggestions = suggest(curve(bowl)).suggestions
    assert sorted(one.rule for one in suggestions) == ["steepest", "valley"]
    assert suggestions[0].rate <= suggestions[1].rate
    assert all(one.rate == float(f"{one.rate:.1e}") for one in suggestions)


def test_what_comes_after_the_first_loss_that_is_no_number_is_not_looked_at() -> None:
    """NaN and infinity end the curve, also where it comes back from there."""
    whole = suggest(curve(lambda power: bowl(power) if power < 0 else 2.0))
    for no_number in (math.nan, math.inf):
        torn = suggest(curve(lambda power, end=no_number: bowl(power) if power < -1.5 else end if power < -1 else 0.1))
        assert {one.rule: one.rate for one in torn.suggestions}["valley"] == pytest.approx(
            {one.rule: one.rate for one in whole.suggestions}["valley"], rel=0.15
        )


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (lambda power: 2.3, "The loss fell at no learning rate: from 2.300 to 2.300"),
        (lambda power: 2.3 + 0.005 * math.sin(50 * power), "which may be chance"),
        (lambda power: 2.3 + max(0.0, power + 3), "The loss fell at no learning rate"),
        (lambda power: math.nan, "The loss was a finite number at 0 learning rates only"),
        (lambda power: 2.3 - power if power < -6.5 else math.inf, "a finite number at 10 learning rates only"),
    ],
)
def test_curves_that_say_nothing_get_a_sentence(loss: Callable[[float], float], sentence: str) -> None:
    """Flat, noise, rising from the start, no number at all, and too few numbers."""
    found = suggest(curve(loss))
    assert found.suggestions == ()
    assert sentence in found.problem


def test_no_curve_at_all_gets_a_sentence() -> None:
    """As of a finder that was interrupted."""
    assert "at 0 learning rates only" in suggest([]).problem


def test_the_running_mean_starts_at_the_first_value() -> None:
    """Its start from 0 is corrected for: a series of one value has that mean from the beginning."""
    smoothing = Smoothing()
    assert [smoothing.add(2.3) for _ in range(5)] == pytest.approx([2.3] * 5)
    assert smoothing.add(3.3) == pytest.approx(2.3 + 0.1 / (1 - 0.9**6))
