"""What a network does to an image, operation by operation, computed without torch."""

from math import prod

import msgspec

from cifartui.model.layers import AnyLayer, Arithmetic, Flatten, Linear, Shape, ShapeError
from cifartui.model.network import Network


class Operation(msgspec.Struct, frozen=True):
    """One operation of the forward pass and what it makes of its input."""

    layer: AnyLayer
    input: Shape
    arithmetic: Arithmetic
    receptive_field: int | None
    """Pixels of the picture, in each direction, that one value of the output depends on; None for all of them."""

    @property
    def activation_bytes(self) -> int:
        """Memory of the output for one image, float32."""
        return 4 * prod(self.arithmetic.output)


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

    def training_bytes(self, batch_size: int) -> int:
        """Memory that training takes at least: weights, gradients and momentum, and every output of a batch."""
        activations = sum(operation.activation_bytes for operation in self.operations) + 4 * prod(self.input)
        return 3 * 4 * self.parameters + batch_size * activations


def summarize(network: Network, input_shape: Shape | None = None) -> Summary:
    """Follow an image of `input_shape` (the network's own input if not given) through the network."""
    start = input_shape or network.input
    shape = start
    operations: list[Operation] = []
    field: int | None = 1
    distance = 1
    for layer in network.layers:
        try:
            arithmetic = layer.arithmetic(shape)
        except ShapeError as error:
            problem = _in_context(layer, operations) or str(error)
            return Summary(network=network, input=start, operations=tuple(operations), problem=problem)
        field = field + (arithmetic.window - 1) * distance if field and arithmetic.window else None
        distance *= arithmetic.stride
        operations.append(Operation(layer=layer, input=shape, arithmetic=arithmetic, receptive_field=field))
        shape = arithmetic.output
    return Summary(network=network, input=start, operations=tuple(operations))


def _in_context(layer: AnyLayer, before: list[Operation]) -> str:
    """For the commonest mistake: what a linear layer expects beside how its input's number comes about."""
    formula = before[-1].arithmetic.formula if before else ""
    if isinstance(layer, Linear) and formula and isinstance(before[-1].layer, Flatten):
        return f"{layer.name} expects {layer.in_features} inputs; {before[-1].layer.name} gives {formula}."
    return ""


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
