"""How the images of a batch are mixed with each other, and their labels with them."""

from typing import Annotated

import msgspec

from cifartui.training.recipes.described import described

Alpha = Annotated[
    float,
    described(
        "Each batch's share is drawn from Beta(alpha, alpha): 1 gives every share as often, less mostly shares near 0 "
        "and 1.",
        gt=0,
        le=100,
    ),
]


class NoMixing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="none"):
    """Each image stays by itself."""


class Mixup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="mixup"):
    """Two images shine through each other, and the loss is shared as they are (Zhang et al. 2017)."""

    alpha: Alpha = 0.2


class CutMix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="cutmix"):
    """A rectangle of another image is laid over each, and the loss is its label's by its area (Yun et al. 2019)."""

    alpha: Alpha = 1.0


AnyMixing = NoMixing | Mixup | CutMix
