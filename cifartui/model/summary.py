"""What a network does to an image, operation by operation, computed without torch."""

from math import prod
from typing import NamedTuple

import msgspec

from cifartui.model.layers import Arithmetic, Block, Flatten, Layer, Linear
from cifartui.model.network import Network
from cifartui.model.shapes import Shape, ShapeError


class Operation(msgspec.Struct, frozen=True):
    """One operation of the forward pass and what it makes of its input."""

    layer: Layer
    input: Shape
    arithmetic: Arithmetic
    receptive_field: int | None
    """Pixels of the picture, in each direction, that one value of the output depends on; None for all of them."""
    inner: "tuple[Operation, ...]" = ()
    """What a block consists of: its body, its shortcut, and where they meet."""

    @property
    def activation_bytes(self) -> int:
        """Memory of the output for one image, float32; of a block, of all outputs within it."""
        return sum(operation.activation_bytes for operation in self.inner) or 4 * prod(self.arithmetic.output)


class Summary(msgspec.Struct, frozen=True):
    """The operations in order, up to the first that does not fit."""

    network: Network
    input: Shape
    operations: tuple[Operation, ...]
    problem: str = ""
    """Why the chain breaks after the last operation; empty for a network that works."""
    unused_parameters: int = 0
    """Trainable numbers that no operation uses; a chain of layers has none."""
    kept_bytes: int | None = None
    """What one image's forward pass keeps for the backward pass, where that was seen; else it is computed."""

    @property
    def output(self) -> Shape:
        """Shape of what the last operation gives."""
        return self.operations[-1].arithmetic.output if self.operations else self.input

    @property
    def parameters(self) -> int:
        """Trainable numbers in all."""
        return sum(operation.arithmetic.parameters for operation in self.operations) + self.unused_parameters

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one image."""
        return sum(operation.arithmetic.macs for operation in self.operations)

    @property
    def weight_bytes(self) -> int:
        """Size of the state_dict's tensors: parameters, and what batch norm keeps beside them."""
        return 4 * self.parameters + sum(operation.arithmetic.buffer_bytes for operation in self.operations)

    @property
    def activation_bytes(self) -> int:
        """Memory of all operations' outputs for one image, float32."""
        return sum(operation.activation_bytes for operation in self.operations)


def summarize(network: Network, input_shape: Shape | None = None) -> Summary:
    """Follow an image of `input_shape` (the network's own input if not given) through the network."""
    start = input_shape or network.input
    place = _Place(start, 1, 1)
    operations: list[Operation] = []
    for layer in network.layers:
        try:
            operation, place = _step(layer, place)
        except ShapeError as error:
            problem = _in_context(layer, operations) or str(error)
            return Summary(network=network, input=start, operations=tuple(operations), problem=problem)
        operations.append(operation)
    return Summary(network=network, input=start, operations=tuple(operations))


class _Place(NamedTuple):
    """Between two layers."""

    shape: Shape
    field: int | None
    """The receptive field of one value here."""
    distance: int
    """Pixels of the picture between two neighbouring values here."""


def _step(layer: Layer, place: _Place) -> tuple[Operation, _Place]:
    arithmetic = layer.arithmetic(place.shape)
    reached = place.field + (arithmetic.window - 1) * place.distance if place.field and arithmetic.window else None
    after = _Place(arithmetic.output, reached, place.distance * arithmetic.stride)
    inner: list[Operation] = []
    if isinstance(layer, Block):
        for path, start in ((layer.body, place), (layer.shortcut, place), (layer.join, after)):
            here = start
            for part in path:
                operation, here = _step(part, here)
                inner.append(operation)
    return Operation(layer, place.shape, arithmetic, reached, tuple(inner)), after


def _in_context(layer: Layer, before: list[Operation]) -> str:
    """For the commonest mistake: what a linear layer expects beside how its input's number comes about."""
    formula = before[-1].arithmetic.formula if before else ""
    if isinstance(layer, Linear) and formula and isinstance(before[-1].layer, Flatten):
        return f"{layer.name} expects {layer.in_features:,} inputs; {before[-1].layer.name} gives {formula}."
    return ""


def require_fit(network: Network, image_shape: Shape, classes: int) -> Summary:
    """Check that a network takes images of `image_shape` and tells `classes` classes apart.

    Raises:
        ShapeError: it does not; the sentence names the layer.
    """
    summary = summarize(network, image_shape)
    if summary.problem:
        raise ShapeError(f"Network {network.name} does not fit these images: {summary.problem}")
    require_outputs(network, summary.output, classes)
    return summary


def require_outputs(network: Network, output: Shape, classes: int) -> None:
    """Check that a network with this output tells `classes` classes apart.

    Raises:
        ShapeError: it does not.
    """
    if output != (classes,):
        outputs = " × ".join(map(str, output))
        raise ShapeError(
            f"Network {network.name} has {outputs} outputs and the data set {classes} classes; make them equal."
        )
