"""The kinds of layers and the arithmetic of each, without torch.

A layer's fields are the arguments of the PyTorch module of the same name.
Sources of the formulas: the "Shape" sections of torch.nn.Conv2d, MaxPool2d and Linear.
"""

from typing import Annotated

import msgspec

from cifartui.errors import UsageError

Shape = tuple[int, ...]
"""Of one image's activations, without the batch: `(channels, height, width)` or `(features,)`."""

Positive = Annotated[int, msgspec.Meta(ge=1, le=65_536)]
NonNegative = Annotated[int, msgspec.Meta(ge=0, le=65_536)]
LayerName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,31}\Z")]


class ShapeError(UsageError):
    """A layer that cannot take what the layer before it gives."""


class Arithmetic(msgspec.Struct, frozen=True):
    """What a layer makes of its input, with the numbers in the formulas."""

    output: Shape
    formula: str = ""
    """How the output's size comes about: `⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28`; empty where the shape stays."""
    parameters: int = 0
    parameters_formula: str = ""
    macs: int = 0
    """Multiply-accumulate operations for one image."""
    macs_formula: str = ""


class Layer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """One operation of the forward pass; its name is the prefix of its weights' names."""

    name: LayerName

    @property
    def kind(self) -> str:
        """The layer's kind as networks' TOML files spell it."""
        return str(self.__struct_config__.tag)

    @property
    def label(self) -> str:
        """The kind in words, with the sizes that tell layers of one kind apart."""
        return self.kind

    def arithmetic(self, shape: Shape) -> Arithmetic:
        """Compute output shape, parameters and multiply-accumulates for an input of `shape`.

        Raises:
            ShapeError: this layer cannot take `shape`.
        """
        raise NotImplementedError

    def _channels_height_width(self, shape: Shape) -> tuple[int, int, int]:
        if len(shape) != 3:
            raise ShapeError(f"{self.name} expects channels × height × width; it is given {format_shape(shape)}.")
        return shape[0], shape[1], shape[2]


class Conv2d(Layer, frozen=True, kw_only=True, tag="conv2d"):
    """A two-dimensional convolution with bias."""

    in_channels: Positive
    out_channels: Positive
    kernel_size: Positive
    stride: Positive = 1
    padding: NonNegative = 0

    @property
    def label(self) -> str:
        return f"conv2d {self.kernel_size}×{self.kernel_size}"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        if channels != self.in_channels:
            raise ShapeError(f"{self.name} expects {self.in_channels} channels; it is given {channels}.")
        out_height, out_width, formula = _slide(self.name, height, width, self.kernel_size, self.stride, self.padding)
        window = self.kernel_size**2 * channels
        window_text = f"{self.kernel_size}·{self.kernel_size}·{channels}"
        parameters = (window + 1) * self.out_channels
        macs = out_height * out_width * self.out_channels * window
        return Arithmetic(
            output=(self.out_channels, out_height, out_width),
            formula=formula,
            parameters=parameters,
            parameters_formula=f"({window_text} + 1)·{self.out_channels} = {parameters:,}",
            macs=macs,
            macs_formula=f"{out_height}·{out_width}·{self.out_channels}·({window_text}) = {macs:,}",
        )


class MaxPool2d(Layer, frozen=True, kw_only=True, tag="max_pool2d"):
    """The largest value under each position of a sliding window."""

    kernel_size: Positive
    stride: Positive

    @property
    def label(self) -> str:
        return f"max pool {self.kernel_size}×{self.kernel_size}"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        out_height, out_width, formula = _slide(self.name, height, width, self.kernel_size, self.stride, 0)
        return Arithmetic(output=(channels, out_height, out_width), formula=formula)


class ReLU(Layer, frozen=True, kw_only=True, tag="relu"):
    """Negative values become zero."""

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)


class Flatten(Layer, frozen=True, kw_only=True, tag="flatten"):
    """All values of an image in one row."""

    def arithmetic(self, shape: Shape) -> Arithmetic:
        features = 1
        for size in shape:
            features *= size
        return Arithmetic(output=(features,), formula=f"{'·'.join(map(str, shape))} = {features}")


class Linear(Layer, frozen=True, kw_only=True, tag="linear"):
    """A fully connected layer with bias."""

    in_features: Positive
    out_features: Positive

    def arithmetic(self, shape: Shape) -> Arithmetic:
        if shape != (self.in_features,):
            given = (
                f"{shape[0]} inputs" if len(shape) == 1 else f"{format_shape(shape)}, which has to be flattened first"
            )
            raise ShapeError(f"{self.name} expects {self.in_features} inputs; it is given {given}.")
        weights = self.in_features * self.out_features
        product = f"{self.in_features}·{self.out_features}"
        parameters = weights + self.out_features
        return Arithmetic(
            output=(self.out_features,),
            parameters=parameters,
            parameters_formula=f"{product} + {self.out_features} = {parameters:,}",
            macs=weights,
            macs_formula=f"{product} = {weights:,}",
        )


AnyLayer = Conv2d | MaxPool2d | ReLU | Flatten | Linear


def format_shape(shape: Shape) -> str:
    """`6 × 28 × 28`."""
    return " × ".join(f"{size:,}" for size in shape)


def _slide(name: str, height: int, width: int, kernel: int, stride: int, padding: int) -> tuple[int, int, str]:
    """Positions of a window that slides over height and width, and the formula with its numbers."""
    for size in (height, width):
        if kernel > size + 2 * padding:
            raise ShapeError(f"{name}'s {kernel}×{kernel} kernel is larger than its {height} × {width} input.")

    def positions(size: int) -> tuple[int, str]:
        count = (size - kernel + 2 * padding) // stride + 1
        return count, f"⌊({size} − {kernel} + 2·{padding}) / {stride}⌋ + 1 = {count}"

    out_height, height_formula = positions(height)
    out_width, width_formula = positions(width)
    formula = height_formula if height == width else f"height {height_formula}, width {width_formula}"
    return out_height, out_width, formula
