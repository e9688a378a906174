"""Normalization over a batch."""

from typing import Any, Self

import msgspec

from cifartui.model.layers.base import Arithmetic, Layer, Positive
from cifartui.model.shapes import Shape, ShapeError


class BatchNorm2d(Layer, frozen=True, kw_only=True, tag="batch_norm2d"):
    """Each channel scaled to mean 0 and variance 1 over the batch, then by two learned numbers."""

    SHORT_NAME = "norm"
    TORCH_CLASS = "BatchNorm2d"
    KEEPS_INPUT = True

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

    def kept_bytes(self, output: Shape, batch_size: int) -> int:
        return 2 * 4 * output[0]  # mean and standard deviation of the batch

    def fitted(self, shape: Shape) -> Self | None:
        return msgspec.structs.replace(self, num_features=shape[0]) if len(shape) == 3 else None

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        return cls(name=name, num_features=shape[0])

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        return super().settings_of(module) if module.affine and module.track_running_stats else None
