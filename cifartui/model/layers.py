"""The kinds of layers and the arithmetic of each, without torch.

A layer's fields are the arguments of the PyTorch module of the same name.
Sources of the formulas: the "Shape" sections of torch.nn.Conv2d, MaxPool2d, AvgPool2d and Linear.
"""

from typing import Annotated

import msgspec

from cifartui.model.shapes import Shape, ShapeError, Slide, format_shape

Positive = Annotated[int, msgspec.Meta(ge=1, le=65_536)]
NonNegative = Annotated[int, msgspec.Meta(ge=0, le=65_536)]
MAX_FEATURES = 1_048_576
"""Of a linear layer: 16 channels of 256 × 256."""
Features = Annotated[int, msgspec.Meta(ge=1, le=MAX_FEATURES)]
LayerName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,31}(\.(0|[1-9][0-9]{0,2}))?\Z")]
"""`conv1`, or `layer1.0` for the first member of the sequence `layer1`."""


class Arithmetic(msgspec.Struct, frozen=True):
    """What a layer makes of its input, with the numbers in the formulas."""

    output: Shape
    formula: str = ""
    """How the output's size comes about: `⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28`; empty where the shape stays."""
    parameters: int = 0
    parameters_formula: str = ""
    macs: int = 0
    """Multiply-accumulate operations for one image, those of convolutions and linear layers."""
    macs_formula: str = ""
    note: str = ""
    """What the division rounds away."""
    window: int = 1
    """Pixels of its input, in each direction, that one pixel of its output looks at; 0 for all of them."""
    stride: int = 1
    """Pixels of its input between two neighbours of its output."""
    buffer_bytes: int = 0
    """What a state_dict holds of it beside its parameters."""


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
    """A two-dimensional convolution."""

    in_channels: Positive
    out_channels: Positive
    kernel_size: Positive
    stride: Positive = 1
    padding: NonNegative = 0
    dilation: Positive = 1
    groups: Positive = 1
    bias: bool = True

    @property
    def label(self) -> str:
        return f"conv2d {self.kernel_size}×{self.kernel_size}"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        if channels != self.in_channels:
            raise ShapeError(f"{self.name} expects {self.in_channels} channels; it is given {channels}.")
        for what, count in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if count % self.groups:
                raise ShapeError(f"{self.name}'s {count} {what} cannot be divided among {self.groups} groups.")
        slide = Slide(self.name, self.kernel_size, self.stride, self.padding, self.dilation)
        (out_height, out_width), formula, note = slide.over(height, width)
        window = self.kernel_size**2 * channels // self.groups
        window_text = f"{self.kernel_size}·{self.kernel_size}·{channels}" + f"/{self.groups}" * (self.groups > 1)
        parameters = (window + self.bias) * self.out_channels
        per_filter = f"({window_text} + 1)" if self.bias else f"{window_text}"
        macs = out_height * out_width * self.out_channels * window
        return Arithmetic(
            output=(self.out_channels, out_height, out_width),
            formula=formula,
            parameters=parameters,
            parameters_formula=f"{per_filter}·{self.out_channels} = {parameters:,}",
            macs=macs,
            macs_formula=f"{out_height}·{out_width}·{self.out_channels}·({window_text}) = {macs:,}",
            note=note,
            window=slide.extent,
            stride=self.stride,
        )


class _Pool2d(Layer, frozen=True, kw_only=True):
    kernel_size: Positive
    stride: Positive
    padding: NonNegative = 0

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        if 2 * self.padding > self.kernel_size:
            raise ShapeError(f"{self.name}'s padding {self.padding} is more than half its kernel {self.kernel_size}.")
        slide = Slide(self.name, self.kernel_size, self.stride, self.padding)
        size, formula, note = slide.over(height, width)
        return Arithmetic(
            output=(channels, *size), formula=formula, note=note, window=self.kernel_size, stride=self.stride
        )


class MaxPool2d(_Pool2d, frozen=True, kw_only=True, tag="max_pool2d"):
    """The largest value under each position of a sliding window."""

    @property
    def label(self) -> str:
        return f"max pool {self.kernel_size}×{self.kernel_size}"


class AvgPool2d(_Pool2d, frozen=True, kw_only=True, tag="avg_pool2d"):
    """The mean of the values under each position of a sliding window."""

    @property
    def label(self) -> str:
        return f"avg pool {self.kernel_size}×{self.kernel_size}"


class GlobalAvgPool2d(Layer, frozen=True, kw_only=True, tag="global_avg_pool2d"):
    """The mean of each channel (torch: AdaptiveAvgPool2d(1))."""

    @property
    def label(self) -> str:
        return "global avg pool"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        return Arithmetic(output=(channels, 1, 1), formula=f"mean of {height}·{width}", window=0)


class BatchNorm2d(Layer, frozen=True, kw_only=True, tag="batch_norm2d"):
    """Each channel scaled to mean 0 and variance 1 over the batch, then by two learned numbers."""

    num_features: Positive

    @property
    def label(self) -> str:
        return "batch norm"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, _, _ = self._channels_height_width(shape)
        if channels != self.num_features:
            raise ShapeError(f"{self.name} expects {self.num_features} channels; it is given {channels}.")
        return Arithmetic(
            output=shape,
            parameters=2 * channels,
            parameters_formula=f"2·{channels} = {2 * channels:,}",
            buffer_bytes=2 * 4 * channels + 8,  # running mean and variance, and an int64 that counts batches
        )


class Dropout(Layer, frozen=True, kw_only=True, tag="dropout"):
    """In training, each value becomes zero with probability p and the others grow to make up for it."""

    p: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5

    @property
    def label(self) -> str:
        return f"dropout {self.p:g}"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)


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
        return Arithmetic(output=(features,), formula=f"{'·'.join(map(str, shape))} = {features:,}", window=0)


class Linear(Layer, frozen=True, kw_only=True, tag="linear"):
    """A fully connected layer with bias."""

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
