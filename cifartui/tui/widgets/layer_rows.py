"""The lines of the table of a network's layers: which there are, and what stands in them."""

from dataclasses import dataclass

from cifartui.model.network import sequences
from cifartui.model.shapes import format_shape
from cifartui.model.summary import Operation, Summary
from cifartui.text import printable


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    cells: tuple[str, ...]
    """Of `LayerTable`'s columns; the bar is drawn later, when the longest is known."""
    parameters: int = 0
    position: int | None = None
    """Of the layer in the network; None for a line that is no layer by itself."""
    below: int = 0
    """Where in the network a layer goes that is added below this line."""
    operation: Operation | None = None
    members: tuple[Operation, ...] = ()
    """Of a sequence."""
    opened: bool | None = None
    """None where there is nothing to open."""
    problem: str = ""
    """Why the chain breaks here."""
    is_known: bool = True
    """False for what comes after the break."""
    parent: str = ""
    """The line that closes this one away."""


def layer_rows(summary: Summary, opened: frozenset[str]) -> list[Row]:
    """The lines of the table: the input, each layer that fits, the one that does not, and those after it."""
    rows = [Row("", ("input", "", format_shape(summary.input), "", "", "", ""))]
    done, layers = summary.operations, summary.network.layers
    if not layers:
        for operation in done:
            rows += _operation_rows(operation, "", 0, opened)
        if summary.problem:
            rows.append(Row("forward", ("✗", "", "–", "", "", printable(summary.problem), ""), problem=summary.problem))
    position = 0
    for sequence, members in sequences(layers):
        first, position = position, position + len(members)
        breaks_here = bool(summary.problem) and first <= len(done) < position
        is_open = sequence in opened or breaks_here
        if sequence:
            rows.append(_sequence_row(sequence, done[first:position], len(members), position, is_open=is_open))
        if sequence and not is_open:
            continue
        for number in range(first, position):
            if number < len(done):
                rows += _operation_rows(done[number], sequence, 1 if sequence else 0, opened, number)
            else:
                rows.append(_missing_row(summary, number, sequence))
    return rows


def _operation_rows(
    operation: Operation, parent: str, depth: int, opened: frozenset[str], position: int | None = None, below: int = 0
) -> list[Row]:
    layer, sums = operation.layer, operation.arithmetic
    is_open = layer.name in opened if operation.inner else None
    shown = layer.name.removeprefix(f"{parent}.") if position is None else layer.name
    cells = (
        _indented(shown, depth, is_open=is_open),
        printable(layer.label, 40),
        format_shape(sums.output),
        f"{sums.parameters:,}" if sums.parameters else "",
        "",
        (sums.formula or sums.parameters_formula).replace(" / ", "/"),
        f"{sums.macs:,}" if sums.macs else "",
    )
    after = below if position is None else position + 1
    rows = [Row(layer.name, cells, sums.parameters, position, after, operation, opened=is_open, parent=parent)]
    if is_open:
        for inner in operation.inner:
            rows += _operation_rows(inner, layer.name, depth + 1, opened, None, after)
    return rows


def _sequence_row(name: str, done: tuple[Operation, ...], count: int, below: int, *, is_open: bool) -> Row:
    whole = len(done) == count
    parameters = sum(operation.arithmetic.parameters for operation in done)
    cells = (
        _indented(name, 0, is_open=is_open),
        f"{count} in a sequence",
        format_shape(done[-1].arithmetic.output) if whole else "–",
        f"{parameters:,}" if whole else "",
        "",
        "",
        f"{sum(operation.arithmetic.macs for operation in done):,}" if whole else "",
    )
    return Row(name, cells, parameters, None, below, None, done, is_open)


def _missing_row(summary: Summary, position: int, sequence: str) -> Row:
    """A layer that does not fit, or one after it."""
    layer = summary.network.layers[position]
    name = _indented(layer.name, 1 if sequence else 0, is_open=None)
    if position == len(summary.operations):
        cells = (f"✗ {name}", layer.label, "–", "", "", summary.problem, "")
        return Row(layer.name, cells, 0, position, position + 1, problem=summary.problem, parent=sequence)
    cells = (name, layer.label, "–", "", "", "", "")
    return Row(layer.name, cells, 0, position, position + 1, is_known=False, parent=sequence)


def _indented(name: str, depth: int, *, is_open: bool | None) -> str:
    mark = "" if is_open is None else "▾ " if is_open else "▸ "
    return f"{'  ' * depth}{mark}{printable(name, 60)}"
