"""Charts: round numbers at the axes, legends that fit, curves averaged into the columns there are."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cifartui.tui.widgets.charts import Curves, binned, legend, round_ticks
from cifartui.tui.widgets.comparison_chart import clock_ticks


@pytest.mark.parametrize(
    ("low", "high", "wanted", "ticks"),
    [
        (8.6, 82.2, 4, [20, 40, 60, 80]),
        (0.03, 2.4, 4, [0.5, 1, 1.5, 2]),
        (0, 25_000, 3, [0, 10_000, 20_000]),
        (86.2, 93.1, 3, [88, 90, 92]),
    ],
)
def test_numbers_at_the_axes_are_round(low: float, high: float, wanted: int, ticks: list[float]) -> None:
    """Multiples of 1, 2 or 5 times a power of ten."""
    assert round_ticks(low, high, wanted) == pytest.approx(ticks)


@given(
    st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-3, 1e6, allow_nan=False), st.integers(min_value=0, max_value=20)
)
def test_numbers_at_the_axes_lie_on_them(low: float, width: float, wanted: int) -> None:
    """Whatever the values are: within the axis, two at least, and not many more than wanted."""
    ticks = round_ticks(low, low + width, wanted)
    slack = 1e-6 * (abs(low) + width)
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)
    assert 2 <= len(ticks) <= 2 * max(3, wanted) + 1
    gaps = [after - before for before, after in pairwise(ticks)]
    assert max(gaps) - min(gaps) <= slack


@pytest.mark.parametrize("cells", [44, 100])
def test_legend_names_what_is_drawn_and_fits(cells: int) -> None:
    """Training, held-out, best and guessing, in the colours of the data, also beside a narrow chart."""
    curves = Curves([(1, 2.0)], [(2, 1.5)], 2, math.log(10), 10)
    text = legend("loss", curves, cells)
    assert text.cell_length <= cells
    assert all(word in text.plain for word in ("⠒ training", "● held-out", "★ best", "╌ guessing"))
    assert ("ln 10 = 2.303" in text.plain) == (cells == 100)
    assert {str(span.style) for span in text.spans} >= {"$primary", "$warning", "$success", "$secondary"}


def test_curves_are_averaged_without_gaps() -> None:
    """No more points than columns, and nothing that is not a number."""
    curve = [(step, math.nan if step % 3 else 2.0) for step in range(300)]
    drawn = binned(curve, 40)
    assert 30 <= len(drawn) <= 40
    assert {value for _, value in drawn} == {2.0}


def test_curve_that_stands_at_zero_is_averaged() -> None:
    """A run that tells no time, over the time: one point."""
    assert binned([(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)], 2) == [(0.0, 2.0)]


@pytest.mark.parametrize(
    ("end", "wanted", "ticks"),
    [
        (7.0, 4, [0, 2, 4, 6]),
        (355.0, 6, [0, 60, 120, 180, 240, 300]),
        (5_400.0, 6, [0, 900, 1_800, 2_700, 3_600, 4_500, 5_400]),
        (1e6, 3, [0, 345_600, 691_200]),
        (9.0, 0, [0]),
    ],
)
def test_times_at_an_axis_read_well_on_a_clock(end: float, wanted: int, ticks: list[float]) -> None:
    """Whole seconds, minutes, quarters of an hour, hours, days."""
    assert clock_ticks(end, wanted) == ticks
