"""Pooling: fewer values for each channel.

Source of the formula: the "Shape" sections of torch.nn.MaxPool2d and AvgPool2d.
"""

from math import prod
from typing import Any, Self

from cifartui.model.layers.base import (
    Arithmetic,
    Construction,
    Function,
    Layer,
    NonNegative,
    Positive,
    single,
)
from cifartui.model.shapes import Shape, ShapeError, Slide


class _Pool2d(Layer, frozen=True, kw_only=True):
    SHORT_NAME = "pool"
    KEEPS_INPUT = True

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

    def construction(self) -> Construction:
        padding = {"padding": self.padding} if self.padding else {}
        return Construction((self.kernel_size,), {"stride": self.stride, **padding})

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        return cls(name=name, kernel_size=2, stride=2)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        sizes = {name: single(getattr(module, name)) for name in ("kernel_size", "stride", "padding")}
        return None if module.ceil_mode or None in sizes.values() else sizes


class MaxPool2d(_Pool2d, frozen=True, kw_only=True, tag="max_pool2d"):
    """The largest value under each position of a sliding window."""

    TORCH_CLASS = "MaxPool2d"
    FUNCTION = Function("max_pool2d", ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"))

    @property
    def label(self) -> str:
        return f"max pool {self.kernel_size}×{self.kernel_size}"

    def kept_bytes(self, output: Shape, batch_size: int) -> int:
        return 8 * batch_size * prod(output)  # where each maximum was, as int64

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        is_plain = single(module.dilation) == 1 and not module.return_indices
        return super().settings_of(module) if is_plain else None


class AvgPool2d(_Pool2d, frozen=True, kw_only=True, tag="avg_pool2d"):
    """The mean of the values under each position of a sliding window."""

    TORCH_CLASS = "AvgPool2d"
    FUNCTION = Function(
        "avg_pool2d", ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    )

    @property
    def label(self) -> str:
        return f"avg pool {self.kernel_size}×{self.kernel_size}"

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        is_plain = module.count_include_pad and not module.divisor_override
        return super().settings_of(module) if is_plain else None


class GlobalAvgPool2d(Layer, frozen=True, kw_only=True, tag="global_avg_pool2d"):
    """The mean of each channel (torch: AdaptiveAvgPool2d(1))."""

    SHORT_NAME = "pool"
    TORCH_CLASS = "AdaptiveAvgPool2d"
    FUNCTION = Function("adaptive_avg_pool2d", ("output_size",))

    @property
    def label(self) -> str:
        return "global avg pool"

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, height, width = self._channels_height_width(shape)
        return Arithmetic(output=(channels, 1, 1), formula=f"mean of {height}·{width}", window=0)

    def construction(self) -> Construction:
        return Construction((1,))

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        return {} if single(module.output_size) == 1 else None
