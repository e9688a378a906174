"""The fully connected layer, and what makes a row of a picture's values for it.

Source of the formula: the "Shape" section of torch.nn.Linear.
"""

from math import prod
from typing import Annotated, Any, Self

import msgspec

from cifartui.model.layers.base import Arithmetic, Function, Layer
from cifartui.model.shapes import Shape, ShapeError, format_shape

MAX_FEATURES = 1_048_576
"""Of a linear layer: 16 channels of 256 × 256."""
Features = Annotated[int, msgspec.Meta(ge=1, le=MAX_FEATURES)]


class Flatten(Layer, frozen=True, kw_only=True, tag="flatten"):
    """All values of an image in one row."""

    TORCH_CLASS = "Flatten"
    FUNCTION = Function("flatten", ("start_dim", "end_dim"), {"start_dim": 0})

    @property
    def is_view(self) -> bool:
        return True

    def arithmetic(self, shape: Shape) -> Arithmetic:
        features = prod(shape)
        return Arithmetic(output=(features,), formula=f"{'·'.join(map(str, shape))} = {features:,}", window=0)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        return {} if (module.start_dim, module.end_dim) == (1, -1) else None


class Linear(Layer, frozen=True, kw_only=True, tag="linear"):
    """A fully connected layer with bias."""

    SHORT_NAME = "fc"
    TORCH_CLASS = "Linear"
    FUNCTION = Function("linear")
    KEEPS_INPUT = True

    in_features: Features
    out_features: Features

    def arithmetic(self, shape: Shape) -> Arithmetic:
        if shape != (self.in_features,):
            given = (
                f"{shape[0]:,} inputs" if len(shape) == 1 else f"{format_shape(shape)}, which has to be flattened first"
            )
            raise ShapeError(f"{self.name} expects {self.in_features:,} inputs; it is given {given}.")
        weights = self.in_features * self.out_features
        product = f"{self.in_features}·{self.out_features}"
        parameters = weights + self.out_features
        return Arithmetic(
            output=(self.out_features,),
            parameters=parameters,
            parameters_formula=f"{product} + {self.out_features} = {parameters:,}",
            macs=weights,
            macs_formula=f"{product} = {weights:,}",
            window=0,
        )

    def fitted(self, shape: Shape) -> Self | None:
        return msgspec.structs.replace(self, in_features=shape[0]) if len(shape) == 1 else None

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        return cls(name=name, in_features=shape[0], out_features=10)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        return super().settings_of(module) if module.bias is not None else None
