"""The axes of charts: round numbers at them, and where a value lies between their ends."""

import math
from collections.abc import Callable
from typing import NamedTuple

from cifartui.text import clock

SHORT_SECONDS = 5.0
"""Of less, fractions are written."""
CLOCK_SPACINGS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
"""Seconds between two ticks that read well on a clock."""
LEAST_LOG_TICKS = 3
"""Of 1, 2 and 5 times powers of ten; where fewer are on a logarithmic axis, it has ticks like any other."""
SAME = 1e-9
"""As a share of values, by which they differ no more than numbers of the machine do."""
ALONE = 0.1
"""As a share of the only value of an axis, how far that goes on to both sides."""
ROUNDING = 4
"""Into how many parts of the distance between two ticks the ends of an axis are rounded: they change seldom."""


class Tick(NamedTuple):
    """A number at an axis."""

    value: float
    label: str


Ticks = Callable[[float, float, int], list[Tick]]
"""The ticks of an axis from its lower end to its upper one, about so many."""


class Scale(NamedTuple):
    """An axis from `low` to the higher `high`, on which values lie along their logarithms or as they are."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """How far a value lies from the lower end to the upper one: 0 and 1 at these."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def has_place_for(self, value: float) -> bool:
        """Whether a value is somewhere on the axis, however long that is."""
        return math.isfinite(value) and not (self.is_log and value <= 0)


def rounded_scale(low: float, high: float, wanted: int, *, is_log: bool) -> Scale:
    """The scale for values from `low` to `high`, with ends that stay where they are while the values move a little."""
    if high - low <= SAME * max(abs(low), abs(high)):
        margin = ALONE * abs(low) or 1.0
        low, high = low - margin, high + margin
    if is_log:
        steps = 10.0 / math.log(high / low) if high / low < math.e**2 else 5.0
        return Scale(
            math.exp(math.floor(math.log(low) * steps) / steps),
            math.exp(math.ceil(math.log(high) * steps) / steps),
            True,
        )
    ticks = round_ticks(low, high, wanted)
    spacing = (ticks[1] - ticks[0]) / ROUNDING
    return Scale(math.floor(low / spacing + 1e-9) * spacing, math.ceil(high / spacing - 1e-9) * spacing)


def number_ticks(low: float, high: float, wanted: int) -> list[Tick]:
    """Round numbers with thousands set apart."""
    return [Tick(tick, f"{tick:,.10g}") for tick in round_ticks(low, high, wanted)]


def short_label(tick: Tick, cells: int) -> str:
    """A tick's label, or where that does not fit into so many cells, its number with a power of ten: `2.5e-5`."""
    if len(tick.label) <= cells:
        return tick.label
    digits, _, power = f"{tick.value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def log_ticks(low: float, high: float, wanted: int) -> list[Tick]:
    """Of a logarithmic axis: powers of ten, with twice and five times these where there is room."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        inside = [Tick(tick, f"{tick:g}") for tick in ticks if low <= tick * (1 + 1e-9) and tick <= high * (1 + 1e-9)]
        if len(inside) <= max(LEAST_LOG_TICKS, wanted):
            break
    return inside if len(inside) >= LEAST_LOG_TICKS else number_ticks(low, high, wanted)


def clock_ticks(low: float, high: float, wanted: int) -> list[Tick]:
    """Times in seconds as a clock tells them, equally far from each other and about as many as wanted."""
    length = high - low
    if length < SHORT_SECONDS:
        return [Tick(tick.value, f"{tick.label} s") for tick in number_ticks(low, high, wanted)]
    spacing = next((each for each in CLOCK_SPACINGS if length / each <= max(1, wanted)), 0)
    spacing = spacing or CLOCK_SPACINGS[-1] * math.ceil(length / CLOCK_SPACINGS[-1] / max(1, wanted))
    first, last = math.ceil(low / spacing), math.floor(high / spacing)
    return [Tick(float(number * spacing), clock(number * spacing)) for number in range(first, last + 1)]


def power_ticks(low: float, high: float, wanted: int) -> list[Tick]:
    """Of an axis along which logarithms to the base of ten lie: the powers."""
    return [Tick(power, f"{10**power:g}") for power in round_ticks(low, high, wanted)]


def round_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Round numbers at equal distances from `low` to the higher `high`, about `wanted` and two at least."""
    rough = 0.8 * (high - low) / max(1, wanted)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    spacings = [factor * magnitude for factor in (10, 5, 2, 1, 0.5, 0.2)]
    widest = min(spacing for spacing in spacings if spacing >= rough)
    for spacing in spacings[spacings.index(widest) :]:
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        if last > first:
            break
    return [round(number * spacing, 12) for number in range(first, last + 1)]
