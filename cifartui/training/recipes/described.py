"""Types of settings: each with a sentence for people, and bounds."""

from typing import Annotated, Any

import msgspec


def described(description: str, **bounds: Any) -> msgspec.Meta:
    """What people are told of a setting, and which numbers it can be (`ge`, `gt`, `le`, `lt`)."""
    return msgspec.Meta(description=description, **bounds)


Level = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
