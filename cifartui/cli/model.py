"""`cifartui model list | source | show | activations`."""

import argparse
from collections.abc import Iterator

import msgspec

from cifartui.cli import activations
from cifartui.cli.dataset import require_dataset
from cifartui.cli.output import make_console, print_json, say, say_followed, table, watch
from cifartui.cli.parsing import Commands, add_json, group, positive_int
from cifartui.errors import CifartuiError
from cifartui.model.adapting import Adaptation
from cifartui.model.memory import training_bytes
from cifartui.model.network import Network, load_network, network_names
from cifartui.model.shapes import Shape, format_shape, parse_shape
from cifartui.model.source import python_source
from cifartui.model.summary import Operation, Summary, summarize
from cifartui.model.tracing.isolation import trace_isolated
from cifartui.model.tracing.trace import summary_of
from cifartui.text import printable, size
from cifartui.training.fitting import fit_network

BATCH_SIZE = 4


class LayerReport(msgspec.Struct, frozen=True):
    """One operation, as `model show --json` tells it."""

    name: str
    kind: str
    formula: str
    output: Shape
    parameters: int
    parameters_formula: str
    macs: int
    macs_formula: str
    receptive_field: int | None
    """None where it is the whole picture, or not known."""
    activation_bytes: int
    """Of one image."""
    note: str
    input: Shape
    inner: "list[LayerReport]"
    """The operations of a block."""


class ModelReport(msgspec.Struct, frozen=True):
    """A network, as `model show --json` tells it."""

    name: str
    input: Shape
    layers: list[LayerReport]
    output: Shape
    parameters: int
    macs: int
    weight_bytes: int
    """Of a state_dict's tensors."""
    activation_bytes: int
    """Of one image."""
    batch_size: int
    training_bytes: int
    """The least that a step of training takes at this batch size."""
    problem: str


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "model", "look at networks, layer by layer")

    listing = actions.add_parser("list", help="list the networks: the program's and your own")
    add_json(listing)
    listing.set_defaults(handler=list_)

    sourcing = actions.add_parser("source", help="print a network as plain PyTorch code")
    sourcing.add_argument("name", metavar="NAME|FILE.toml")
    _add_dataset(sourcing)
    sourcing.set_defaults(handler=source)

    showing = actions.add_parser("show", help="show a network's operations with the arithmetic of their shapes")
    showing.add_argument("name", metavar="NAME|FILE.toml|package.module:name")
    shape = showing.add_mutually_exclusive_group()
    shape.add_argument("--input", metavar="3x32x32", help="channels x height x width of an image")
    _add_dataset(shape)
    showing.add_argument(
        "--batch-size",
        type=positive_int,
        default=BATCH_SIZE,
        metavar="N",
        help=f"for the memory that training takes ({BATCH_SIZE}, as in the tutorial)",
    )
    add_json(showing)
    showing.set_defaults(handler=show)

    activations.add_command(actions)


def _add_dataset(parser: "argparse._ActionsContainer") -> None:
    parser.add_argument("--dataset", metavar="NAME", help="as it is trained on this data set: its size, its classes")


def source(options: argparse.Namespace) -> None:
    """Print a network's PyTorch source."""
    network, _ = _named(options)
    print(python_source(network), end="")


def _named(options: argparse.Namespace) -> Adaptation:
    """The network that was named, as the data set wants it that was named with it."""
    network = load_network(options.name)
    return fit_network(network, require_dataset(options.dataset)) if options.dataset else Adaptation(network, ())


def list_(options: argparse.Namespace) -> None:
    """List the networks."""
    summaries = [_summary_or_problem(name) for name in network_names()]
    if options.json:
        print_json([report(summary, BATCH_SIZE) for summary in summaries])
        return
    rows = table("name", "parameters", "multiply-adds", "", right=("parameters", "multiply-adds"))
    for summary in summaries:
        network = summary.network
        rows.add_row(network.name, f"{summary.parameters:,}", f"{summary.macs:,}", printable(network.description))
    make_console().print(rows)
    for summary in summaries:
        if summary.problem:
            say(f"✗ {summary.network.name}: {summary.problem}")


def _summary_or_problem(name: str) -> Summary:
    """The summary of a network that is listed, also where its file cannot be read."""
    try:
        return summarize(load_network(name))
    except CifartuiError as error:
        return Summary(Network(name=name, layers=()), (), (), problem=str(error))


def show(options: argparse.Namespace) -> int:
    """Show one network; exit code 1 if its layers do not fit together."""
    network, changes = _named(options)
    shape = parse_shape(options.input) if options.input else None
    summary = (
        summary_of(watch(trace_isolated(network, shape), as_json=options.json))
        if network.factory
        else summarize(network, shape)
    )
    if options.json:
        print_json(report(summary, options.batch_size))
    else:
        print_summary(summary, options.batch_size)
        say_followed(options.dataset, changes)
    return 1 if summary.problem else 0


def print_summary(summary: Summary, batch_size: int) -> None:
    """Print the table of operations and the totals."""
    say(f"{summary.network.name}: {summary.network.description}")
    rows = table("layer", "kind", "output", "parameters", "output's size", "parameters' number", right=("parameters",))
    rows.add_row("input", "", format_shape(summary.input), "", "", "")
    for depth, operation in _nested(summary.operations):
        layer, sums = operation.layer, operation.arithmetic
        rows.add_row(
            "  " * depth + printable(layer.name, 60),
            printable(layer.label, 40),
            format_shape(sums.output),
            f"{sums.parameters:,}",
            sums.formula,
            "the sum of those below" if operation.inner else sums.parameters_formula,
        )
    make_console().print(rows)
    if summary.problem:
        say(f"✗ {summary.problem}")
    say(f"{summary.parameters:,} parameters, {size(summary.weight_bytes)}; {summary.macs:,} multiply-adds an image")
    say(f"training takes at least {size(training_bytes(summary, batch_size))} at batch size {batch_size}")


def _nested(operations: tuple[Operation, ...], depth: int = 0) -> Iterator[tuple[int, Operation]]:
    for operation in operations:
        yield depth, operation
        yield from _nested(operation.inner, depth + 1)


def report(summary: Summary, batch_size: int) -> ModelReport:
    """A summary in the fields of the JSON contract."""
    return ModelReport(
        name=summary.network.name,
        input=summary.input,
        layers=[_layer_report(operation) for operation in summary.operations],
        output=summary.output,
        parameters=summary.parameters,
        macs=summary.macs,
        weight_bytes=summary.weight_bytes,
        activation_bytes=summary.activation_bytes,
        batch_size=batch_size,
        training_bytes=training_bytes(summary, batch_size),
        problem=summary.problem,
    )


def _layer_report(operation: Operation) -> LayerReport:
    sums = operation.arithmetic
    return LayerReport(
        name=operation.layer.name,
        kind=operation.layer.kind,
        formula=sums.formula,
        output=sums.output,
        parameters=sums.parameters,
        parameters_formula=sums.parameters_formula,
        macs=sums.macs,
        macs_formula=sums.macs_formula,
        receptive_field=operation.receptive_field,
        activation_bytes=operation.activation_bytes,
        note=sums.note,
        input=operation.input,
        inner=[_layer_report(inner) for inner in operation.inner],
    )
