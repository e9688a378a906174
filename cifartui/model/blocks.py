"""Blocks: layers with a shortcut around them."""

from cifartui.model.layers import Arithmetic, BatchNorm2d, Conv2d, Layer, Positive, ReLU
from cifartui.model.shapes import Shape, ShapeError


class Add(Layer, frozen=True, kw_only=True, tag="add"):
    """The sum of two paths, value by value; it is there within blocks only."""

    def arithmetic(self, shape: Shape) -> Arithmetic:
        return Arithmetic(output=shape)


class BasicBlock(Layer, frozen=True, kw_only=True, tag="basic_block"):
    """ResNet's block: two 3×3 convolutions learn what to add to the block's input (torchvision: BasicBlock).

    Where it changes the size or the channels, a 1×1 convolution makes the shortcut fit.
    Source: He et al., Deep Residual Learning for Image Recognition, 2015, figure 2.
    """

    in_channels: Positive
    out_channels: Positive
    stride: Positive = 1

    @property
    def label(self) -> str:
        return "residual block"

    @property
    def body(self) -> tuple[Layer, ...]:
        """What stands beside the shortcut, named as its weights are."""
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
        """What makes the block's input fit its output; empty where it fits already."""
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

    @property
    def join(self) -> tuple[Layer, ...]:
        """What follows where both paths meet."""
        return Add(name=f"{self.name}.add"), ReLU(name=f"{self.name}.relu2")

    def arithmetic(self, shape: Shape) -> Arithmetic:
        channels, _, _ = self._channels_height_width(shape)
        if channels != self.in_channels:
            raise ShapeError(f"{self.name} expects {self.in_channels} channels; it is given {channels}.")
        made = []
        for path in (self.body, self.shortcut):
            given = shape
            for layer in path:
                made.append(layer.arithmetic(given))
                given = made[-1].output
        parameters = sum(part.parameters for part in made)
        counts = [f"{part.parameters:,}" for part in made if part.parameters]
        macs = [part.macs for part in made if part.macs]
        first = made[0]
        return Arithmetic(
            output=first.output,
            formula=first.formula if self.stride > 1 else "",
            parameters=parameters,
            parameters_formula=f"{' + '.join(counts)} = {parameters:,}",
            macs=sum(macs),
            macs_formula=f"{' + '.join(f'{count:,}' for count in macs)} = {sum(macs):,}",
            window=3 + 2 * self.stride,
            stride=self.stride,
            buffer_bytes=sum(part.buffer_bytes for part in made),
        )
