"""Activation functions: what is not linear, value by value."""

from typing import Any

from cifartui.model.layers.base import Arithmetic, Function, Layer
from cifartui.model.shapes import Shape


class ReLU(Layer, frozen=True, kw_only=True, tag="relu"):
    """Negative values become zero."""

    TORCH_CLASS = "ReLU"
    FUNCTION = Function("relu", ("inplace",))
    KEEPS_OUTPUT = True

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)


class GELU(Layer, frozen=True, kw_only=True, tag="gelu"):
    """Negative values fade to zero, smoothly."""

    TORCH_CLASS = "GELU"
    FUNCTION = Function("gelu", ("approximate",))
    KEEPS_INPUT = True

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        return {} if module.approximate == "none" else None
