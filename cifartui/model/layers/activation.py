"""Activation functions: what is not linear, value by value."""

from cifartui.model.layers.base import Arithmetic, Function, Layer
from cifartui.model.shapes import Shape


class ReLU(Layer, frozen=True, kw_only=True, tag="relu"):
    """Negative values become zero."""

    EXPLANATION = "Negative values become zero. Without it, layers in a row could do no more than a single one."
    TORCH_CLASS = "ReLU"
    FUNCTION = Function("relu", ("inplace",))
    KEEPS_OUTPUT = True

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)
