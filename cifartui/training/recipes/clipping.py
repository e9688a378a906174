"""How a recipe can keep gradients from growing too large."""

from typing import Annotated

import msgspec

from cifartui.training.recipes.described import described


class NoClipping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="none"):
    """Gradients stay as they are."""


class NormClipping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="norm"):
    """All gradients of a step are shortened together, where their norm is larger than allowed (Pascanu et al. 2012)."""

    max_norm: Annotated[float, described("The largest norm of all gradients together.", gt=0, le=1e6)] = 1.0


AnyClipping = NoClipping | NormClipping
