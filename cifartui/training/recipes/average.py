"""Which average of the weights a recipe can keep beside them."""

from typing import Annotated

import msgspec

from cifartui.training.recipes.described import described


class NoAverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="none"):
    """The weights of the last step are the result."""


class MovingAverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="ema"):
    """An exponential moving average over the steps, which is what is judged, evaluated and exported."""

    decay: Annotated[float, described("Share of the average that stays at each step.", ge=0, lt=1)] = 0.999


AnyAverage = NoAverage | MovingAverage
