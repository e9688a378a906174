"""Blocks: layers with a shortcut around them."""

from typing import Self

import msgspec

from cifartui.model.layers.activation import ReLU
from cifartui.model.layers.base import Arithmetic, Layer, Positive
from cifartui.model.layers.convolution import Conv2d
from cifartui.model.layers.normalization import BatchNorm2d
from cifartui.model.shapes import Shape, ShapeError


class Add(Layer, frozen=True, kw_only=True, tag="add"):
    """The sum of two paths, value by value; it is there within blocks only."""

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)


class Block(Layer, frozen=True, kw_only=True):
    """Layers in a row, the body, and a shortcut around them that is added to what they give."""

    SHORT_NAME = "block"
    KEEPS_INPUT = True

    in_channels: Positive
    out_channels: Positive
    stride: Positive = 1

    @property
    def body(self) -> tuple[Layer, ...]:
        """What stands beside the shortcut, named as its weights are."""
        raise NotImplementedError

    @property
    def shortcut(self) -> tuple[Layer, ...]:
        """What makes the block's input fit its output, named as its weights are; empty where it fits already."""
        raise NotImplementedError

    @property
    def join(self) -> tuple[Layer, ...]:
        """What follows where both paths meet."""
        number = 1 + sum(isinstance(layer, ReLU) for layer in self.body)
        return Add(name=f"{self.name}.add"), ReLU(name=f"{self.name}.relu{number}")

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, _, _ = self._channels_height_width(shape)
        if channels != self.in_channels:
            raise ShapeError(f"{self.name} expects {self.in_channels} channels; it is given {channels}.")
        made, output, window, stride = [], shape, 1, 1
        for layer in self.body:
            made.append(part := layer.arithmetic(output))
            output, window, stride = part.output, window + (part.window - 1) * stride, stride * part.stride
        beside = shape
        for layer in self.shortcut:
            made.append(part := layer.arithmetic(beside))
            beside = part.output
        parameters = sum(part.parameters for part in made)
        counts = [f"{part.parameters:,}" for part in made if part.parameters]
        macs = [part.macs for part in made if part.macs]
        return Arithmetic(
            output=output,
            formula=next((part.formula for part in made if part.stride > 1), ""),
            parameters=parameters,
            parameters_formula=f"{' + '.join(counts)} = {parameters:,}",
            macs=sum(macs),
            macs_formula=f"{' + '.join(f'{count:,}' for count in macs)} = {sum(macs):,}",
            window=window,
            stride=stride,
            buffer_bytes=sum(part.buffer_bytes for part in made),
        )

    def fitted(self, shape: Shape) -> Self | None:
        return msgspec.structs.replace(self, in_channels=shape[0]) if len(shape) == 3 else None

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        return cls(name=name, in_channels=shape[0], out_channels=shape[0])


BASIC_BLOCK_SOURCE = '''\
class BasicBlock(nn.Module):
    """Two 3×3 convolutions that learn what to add to the block's input."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        residual = nn.functional.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return nn.functional.relu(residual + self.downsample(x))
'''


class BasicBlock(Block, frozen=True, kw_only=True, tag="basic_block"):
    """ResNet's block: two 3×3 convolutions learn what to add to the block's input (torchvision: BasicBlock).

    Where it changes the size or the channels, a 1×1 convolution makes the shortcut fit.
    Source: He et al., Deep Residual Learning for Image Recognition, 2015, figure 2.
    """

    CLASS_SOURCE = BASIC_BLOCK_SOURCE

    @property
    def label(self) -> str:
        return "residual block"

    @property
    def body(self) -> tuple[Layer, ...]:
        width = self.out_channels
        return (
            Conv2d(
                name=f"{self.name}.conv1",
                in_channels=self.in_channels,
                out_channels=width,
                kernel_size=3,
                stride=self.stride,
                padding=1,
                bias=False,
            ),
            BatchNorm2d(name=f"{self.name}.bn1", num_features=width),
            ReLU(name=f"{self.name}.relu1"),
            Conv2d(
                name=f"{self.name}.conv2", in_channels=width, out_channels=width, kernel_size=3, padding=1, bias=False
            ),
            BatchNorm2d(name=f"{self.name}.bn2", num_features=width),
        )

    @property
    def shortcut(self) -> tuple[Layer, ...]:
        if self.stride == 1 and self.in_channels == self.out_channels:
            return ()
        return (
            Conv2d(
                name=f"{self.name}.downsample.0",
                in_channels=self.in_channels,
                out_channels=self.out_channels,
                kernel_size=1,
                stride=self.stride,
                bias=False,
            ),
            BatchNorm2d(name=f"{self.name}.downsample.1", num_features=self.out_channels),
        )
