"""What running a network once has shown: its operations as they came, without torch."""

from typing import Annotated

import msgspec

from cifartui.model.layers import AnyLayer, Arithmetic, Layer
from cifartui.model.network import Network
from cifartui.model.shapes import Shape, ShapeError
from cifartui.model.summary import Operation, Summary, require_outputs

MAX_OPERATIONS = 2_000
PLACEHOLDER = "_"
"""The name of a traced layer itself; its own stands beside it, since a path may be longer than a layer's name."""


class TracedLayer(Layer, frozen=True, kw_only=True, tag="recorded"):
    """An operation or block whose shape was seen, not computed."""

    what: str
    """The class of a module, or the function: `LayerNorm`, `torch.cat`, `view`."""
    sums: Arithmetic
    """As it was seen, without formulas."""

    @property
    def label(self) -> str:
        return self.what

    def arithmetic(self, shape: Shape) -> Arithmetic:
        """What was seen; the shape of the input does not matter."""
        return self.sums


class TracedOperation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation, or a module with those that ran within it."""

    name: str
    """The module's path (`layer1.0.conv1`), or that of the module around a function and the function (`layer1.0.add`).

    A module that ran more than once stands there under one name each time.
    """
    layer: AnyLayer | TracedLayer
    input: Shape
    inner: "tuple[TracedOperation, ...]" = ()


class Trace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One forward pass; shapes are those of one image, without the batch."""

    network: Network
    input: Shape
    operations: tuple[TracedOperation, ...]
    parameters: Annotated[int, msgspec.Meta(ge=0)]
    """Trainable numbers in all, each counted once; also those that no operation used."""
    kept_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """What the forward pass of the one image kept for the backward pass."""
    output: Shape | None = None
    """Of the whole network; None if the forward pass did not come to its end."""
    problem: str = ""
    """Why the operations are not all there, in one sentence."""


def summary_of(trace: Trace) -> Summary:
    """The summary of a network whose operations were traced."""
    operations = tuple(map(_operation, trace.operations))
    used = sum(operation.arithmetic.parameters for operation in operations)
    return Summary(
        network=trace.network,
        input=trace.input,
        operations=operations,
        problem=trace.problem,
        unused_parameters=max(0, trace.parameters - used),
        kept_bytes=trace.kept_bytes,
    )


def require_traced_fit(trace: Trace, classes: int) -> Summary:
    """Check that a network took images of the trace's input and tells `classes` classes apart.

    Raises:
        ShapeError: it does not; the sentence names the module.
    """
    network = trace.network
    if trace.output is None:
        raise ShapeError(f"Network {network.name} does not fit these images: {trace.problem}")
    require_outputs(network, trace.output, classes)
    return summary_of(trace)


def _operation(traced: TracedOperation) -> Operation:
    layer: Layer = msgspec.structs.replace(traced.layer, name=traced.name)
    inner = tuple(map(_operation, traced.inner))
    return Operation(layer, traced.input, layer.arithmetic(traced.input), None, inner)
