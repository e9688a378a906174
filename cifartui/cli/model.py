"""`cifartui model list | show`."""

import argparse

import msgspec

from cifartui.cli.output import make_console, print_json, say, table
from cifartui.cli.parsing import Commands, add_json, group
from cifartui.model.network import load_network, network_names
from cifartui.model.shapes import Shape, format_shape, parse_shape
from cifartui.model.source import python_source
from cifartui.model.summary import Summary, summarize


class LayerReport(msgspec.Struct, frozen=True):
    """One operation, as `model show --json` tells it."""

    name: str
    kind: str
    formula: str
    output: Shape
    parameters: int
    parameters_formula: str
    macs: int
    receptive_field: int | None
    activation_bytes: int
    note: str


class ModelReport(msgspec.Struct, frozen=True):
    """A network, as `model show --json` tells it."""

    name: str
    input: Shape
    layers: list[LayerReport]
    output: Shape
    parameters: int
    macs: int
    problem: str


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "model", "look at networks, layer by layer")

    listing = actions.add_parser("list", help="list the networks that come with the program")
    add_json(listing)
    listing.set_defaults(handler=list_)

    sourcing = actions.add_parser("source", help="print a network as plain PyTorch code")
    sourcing.add_argument("name", metavar="NAME|FILE.toml")
    sourcing.set_defaults(handler=source)

    showing = actions.add_parser("show", help="show a network's operations with the arithmetic of their shapes")
    showing.add_argument("name", metavar="NAME|FILE.toml")
    showing.add_argument("--input", metavar="3x32x32", help="channels x height x width of an image")
    add_json(showing)
    showing.set_defaults(handler=show)


def source(options: argparse.Namespace) -> None:
    """Print a network's PyTorch source."""
    print(python_source(load_network(options.name)), end="")


def list_(options: argparse.Namespace) -> None:
    """List the networks."""
    summaries = [summarize(load_network(name)) for name in network_names()]
    if options.json:
        print_json([report(summary) for summary in summaries])
        return
    rows = table("name", "parameters", "multiply-adds", "", right=("parameters", "multiply-adds"))
    for summary in summaries:
        network = summary.network
        rows.add_row(network.name, f"{summary.parameters:,}", f"{summary.macs:,}", network.description)
    make_console().print(rows)


def show(options: argparse.Namespace) -> int:
    """Show one network; exit code 1 if its layers do not fit together."""
    network = load_network(options.name)
    summary = summarize(network, parse_shape(options.input) if options.input else None)
    if options.json:
        print_json(report(summary))
    else:
        print_summary(summary)
    return 1 if summary.problem else 0


def print_summary(summary: Summary) -> None:
    """Print the table of operations and the totals."""
    say(f"{summary.network.name}: {summary.network.description}")
    rows = table("layer", "kind", "output", "parameters", "output's size", "parameters' number", right=("parameters",))
    rows.add_row("input", "", format_shape(summary.input), "", "", "")
    for operation in summary.operations:
        layer, sums = operation.layer, operation.arithmetic
        parameters = f"{sums.parameters:,}"
        rows.add_row(
            layer.name, layer.label, format_shape(sums.output), parameters, sums.formula, sums.parameters_formula
        )
    make_console().print(rows)
    if summary.problem:
        say(f"✗ {summary.problem}")
    say(f"{summary.parameters:,} parameters, {summary.macs:,} multiply-adds an image, {4 * summary.parameters:,} bytes")


def report(summary: Summary) -> ModelReport:
    """A summary in the fields of the JSON contract."""
    layers = [
        LayerReport(
            name=operation.layer.name,
            kind=operation.layer.kind,
            formula=operation.arithmetic.formula,
            output=operation.arithmetic.output,
            parameters=operation.arithmetic.parameters,
            parameters_formula=operation.arithmetic.parameters_formula,
            macs=operation.arithmetic.macs,
            receptive_field=operation.receptive_field,
            activation_bytes=operation.activation_bytes,
            note=operation.arithmetic.note,
        )
        for operation in summary.operations
    ]
    return ModelReport(
        name=summary.network.name,
        input=summary.input,
        layers=layers,
        output=summary.output,
        parameters=summary.parameters,
        macs=summary.macs,
        problem=summary.problem,
    )
