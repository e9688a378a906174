"""The learning-rate finder's curve: the loss over the rate, on a logarithmic axis."""

import math
from collections.abc import Sequence

from cifartui.training.rate_rules import HIGHEST, LOWEST, RateTried, Suggestion
from cifartui.tui.widgets.axes import power_ticks
from cifartui.tui.widgets.dot_canvas import Ink
from cifartui.tui.widgets.figure import Figure, Series, Upright

LOSS, CHOSEN, OTHER = Ink("primary"), Ink("warning"), Ink("secondary")
CHOSEN_MARK, OTHER_MARK = "┃", "┆"
ROOM_ABOVE = 1.0
"""Above the loss at the beginning, as a share of how far it fell: where it runs away it leaves the chart."""
LEAST_ROOM = 0.02
"""As a share of that loss: what is smaller is noise, and not drawn larger."""


def rate_figure(
    tried: Sequence[RateTried], suggestions: Sequence[Suggestion] = (), chosen: Suggestion | None = None
) -> Figure:
    """The running mean of the losses so far, and an upright line at each suggestion."""
    curve = [(math.log10(point.rate), point.smoothed) for point in tried if point.smoothed is not None]
    if not curve:
        return Figure(start=math.log10(LOWEST), end=math.log10(HIGHEST), place_ticks=power_ticks)
    floor, ceiling = _bounds([loss for _, loss in curve])
    uprights = [
        Upright(math.log10(suggestion.rate), *((CHOSEN_MARK, CHOSEN) if suggestion == chosen else (OTHER_MARK, OTHER)))
        for suggestion in suggestions
    ]
    return Figure(
        (Series("loss", curve, LOSS),),
        tuple(uprights),
        start=math.log10(LOWEST),
        end=math.log10(HIGHEST),
        floor=floor,
        ceiling=ceiling,
        place_ticks=power_ticks,
    )


def _bounds(losses: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest loss that the chart shows."""
    first, lowest = losses[0], min(losses)
    room = max(ROOM_ABOVE * (first - lowest), LEAST_ROOM * abs(first))
    return lowest, max(min(max(losses), first + room), lowest + LEAST_ROOM * abs(first))
