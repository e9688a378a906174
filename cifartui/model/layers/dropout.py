"""Dropout."""

from math import prod
from typing import Annotated

import msgspec

from cifartui.model.layers.base import Arithmetic, Construction, Function, Layer
from cifartui.model.shapes import Shape


class Dropout(Layer, frozen=True, kw_only=True, tag="dropout"):
    """In training, each value becomes zero with probability p and the others grow to make up for it."""

    TORCH_CLASS = "Dropout"
    FUNCTION = Function("dropout", ("p", "training", "inplace"))

    p: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5

    @property
    def label(self) -> str:
        return f"dropout {self.p:g}"

    @property
    def is_view(self) -> bool:
        return self.p == 0

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)

    def kept_bytes(self, output: Shape, batch_size: int) -> int:
        return 0 if self.is_view else 4 * batch_size * prod(output)  # a factor for each value, on a GPU a byte

    def construction(self) -> Construction:
        return Construction((self.p,))
