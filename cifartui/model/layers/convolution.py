"""The convolution.

Source of the formula: the "Shape" section of torch.nn.Conv2d.
"""

from typing import Any, Self

import msgspec

from cifartui.model.layers.base import Arithmetic, Function, Layer, NonNegative, Positive, single
from cifartui.model.shapes import Shape, ShapeError, Slide


class Conv2d(Layer, frozen=True, kw_only=True, tag="conv2d"):
    """A two-dimensional convolution."""

    SHORT_NAME = "conv"
    TORCH_CLASS = "Conv2d"
    FUNCTION = Function("conv2d")
    KEEPS_INPUT = True

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

    def fitted(self, shape: Shape) -> Self | None:
        return msgspec.structs.replace(self, in_channels=shape[0]) if len(shape) == 3 else None

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        return cls(name=name, in_channels=shape[0], out_channels=shape[0], kernel_size=3, padding=1)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        if module.padding_mode != "zeros":
            return None
        sizes = {name: single(getattr(module, name)) for name in ("kernel_size", "stride", "padding", "dilation")}
        kernel, dilation = sizes["kernel_size"], sizes["dilation"]
        if isinstance(module.padding, str) and kernel and dilation:
            spread = dilation * (kernel - 1) if module.padding == "same" else 0
            sizes["padding"] = spread // 2 if spread % 2 == 0 else None
        if None in sizes.values():
            return None
        channels = {"in_channels": module.in_channels, "out_channels": module.out_channels}
        return channels | sizes | {"groups": module.groups, "bias": module.bias is not None}
