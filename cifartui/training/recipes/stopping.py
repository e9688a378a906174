"""When a recipe ends a run before its epochs are done."""

from typing import Annotated

import msgspec

from cifartui.training.recipes.described import described


class NeverEarly(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="never"):
    """All epochs are trained."""


class Patience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="name", tag="patience"):
    """The run ends once the accuracy on held-out images has not risen for some epochs; its best checkpoint stays."""

    epochs: Annotated[
        int, described("Epochs to wait for a better accuracy on the held-out images.", ge=1, le=100_000)
    ] = 10


AnyStopping = NeverEarly | Patience
