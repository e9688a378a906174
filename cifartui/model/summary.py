"""What a network does to an image, operation by operation, computed without torch."""

import msgspec

from cifartui.model.layers import AnyLayer, Arithmetic, Shape, ShapeError
from cifartui.model.network import Network


class Operation(msgspec.Struct, frozen=True):
    """One operation of the forward pass and what it makes of its input."""

    layer: AnyLayer
    input: Shape
    arithmetic: Arithmetic


class Summary(msgspec.Struct, frozen=True):
    """The operations in order, up to the first that does not fit."""

    network: Network
    input: Shape
    operations: tuple[Operation, ...]
    problem: str = ""
    """Why the chain breaks after the last operation; empty for a network that works."""

    @property
    def output(self) -> Shape:
        """Shape of what the last operation gives."""
        return self.operations[-1].arithmetic.output if self.operations else self.input

    @property
    def parameters(self) -> int:
        """Trainable numbers in all."""
        return sum(operation.arithmetic.parameters for operation in self.operations)

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one image."""
        return sum(operation.arithmetic.macs for operation in self.operations)


def summarize(network: Network, input_shape: Shape | None = None) -> Summary:
    """Follow an image of `input_shape` (the network's own input if not given) through the network."""
    start = input_shape or network.input
    shape = start
    operations: list[Operation] = []
    for layer in network.layers:
        try:
            arithmetic = layer.arithmetic(shape)
        except ShapeError as error:
            return Summary(network=network, input=start, operations=tuple(operations), problem=str(error))
        operations.append(Operation(layer=layer, input=shape, arithmetic=arithmetic))
        shape = arithmetic.output
    return Summary(network=network, input=start, operations=tuple(operations))


def require_fit(network: Network, image_shape: Shape, classes: int) -> Summary:
    """Check that a network takes images of `image_shape` and tells `classes` classes apart.

    Raises:
        ShapeError: it does not; the sentence names the layer.
    """
    summary = summarize(network, image_shape)
    if summary.problem:
        raise ShapeError(f"Network {network.name} does not fit these images: {summary.problem}")
    if summary.output != (classes,):
        outputs = " × ".join(map(str, summary.output))
        raise ShapeError(
            f"Network {network.name} has {outputs} outputs and the data set {classes} classes; make them equal."
        )
    return summary
