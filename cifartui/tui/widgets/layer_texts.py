"""What the model screen says of a layer: its arithmetic spelled out, and what it is there for."""

from collections.abc import Iterable

from textual.content import Content

from cifartui.model.editing import repair, settings_text
from cifartui.model.layers import Linear
from cifartui.model.memory import kept_bytes, training_bytes
from cifartui.model.shapes import format_shape
from cifartui.model.summary import Operation, Summary
from cifartui.text import printable, size
from cifartui.tui.widgets.layer_table import Row

FOLLOWS = "* follows"


def row_text(row: Row, summary: Summary, batch_size: int, follows: str = "") -> tuple[Content, Content]:
    """The title and the text for a line of the table; `follows` says what of it follows the data set."""
    if row.operation:
        before = summary.operations[row.position - 1] if row.position else None
        sizes = f"{format_shape(row.operation.input)} → {format_shape(row.operation.arithmetic.output)}"
        title = Content(printable(f"{row.name} · {row.operation.layer.label} · {sizes}"))
        return title, layer_text(row.operation, batch_size, before, follows)
    if row.opened is not None:
        return Content(printable(row.name)), sequence_text(row.members, opened=row.opened)
    if row.problem:
        offer = repair(summary)
        repaired = f"\ny sets {settings_text(offer)}" if offer else ""
        what = "the forward pass ends here" if row.position is None else f"{row.name} does not fit"
        return Content(what), Content.styled(printable(row.problem), "$error").append(repaired)
    if row.position is not None:
        return Content(""), Content("Its shape is not known as long as the chain breaks above.")
    return Content("input"), input_text(summary, batch_size, follows)


def layer_text(operation: Operation, batch_size: int, before: Operation | None, follows: str = "") -> Content:
    """One operation spelled out: what goes in, what comes out, and each number's arithmetic."""
    sums = operation.arithmetic
    rows = [(FOLLOWS, follows)] if follows else []
    if isinstance(operation.layer, Linear) and before and before.arithmetic.formula:
        rows.append(("inputs", f"{operation.layer.in_features}: {before.layer.name} gives {before.arithmetic.formula}"))
    if sums.formula and (len(operation.input), len(sums.output)) == (3, 1):
        rows.append(("outputs", f"{sums.formula}: channels · rows · columns"))
    elif sums.formula:
        rows.append(("height and width" if len(sums.output) == 3 else "outputs", sums.formula))
    if sums.parameters_formula:
        rows.append(("parameters", sums.parameters_formula))
    if sums.macs_formula:
        rows.append(("multiply-adds", sums.macs_formula))
    if sums.note:
        rows.append(("rounded away", sums.note))
    more = []
    if operation.receptive_field and operation.receptive_field > 1:
        field = operation.receptive_field
        more.append(("looks at", f"{field} × {field} pixels of the picture"))
    in_batch = size(batch_size * operation.activation_bytes)
    outputs = "·".join(map(str, (*sums.output, 4)))
    counted = "all its outputs" if operation.inner else f"{outputs} bytes"
    more.append(("memory", f"{counted} = {size(operation.activation_bytes)}, for a batch of {batch_size}: {in_batch}"))
    opens = "→ shows its operations." if operation.inner else ""
    return _rows(rows, f"{operation.layer.EXPLANATION} {opens}".strip(), more)


def input_text(summary: Summary, batch_size: int, follows: str = "") -> Content:
    """The input, and the network as a whole."""
    channels, height, width = summary.input
    weights, kept = 4 * summary.parameters, kept_bytes(summary, batch_size)
    rows = [
        ("one picture", f"{channels} channels of {height} × {width} pixels: {channels * height * width:,} numbers"),
        ("weights on disk", f"{size(summary.weight_bytes)}: {summary.parameters:,} parameters of 4 bytes"),
        ("work", f"{summary.macs:,} multiply-adds for one picture, about three times that to learn from it"),
        (
            "training takes",
            f"at least {size(training_bytes(summary, batch_size))}: weights, gradients and momentum "
            f"(3 · {size(weights)}), and {size(kept)} that the backward pass needs of a batch of {batch_size}",
        ),
    ]
    if follows:
        rows.insert(0, (FOLLOWS, follows))
    keys = "v tries another size of the pictures"
    return _rows(rows, f"{keys}." if summary.network.factory else f"{keys}; p shows the network as PyTorch code.")


def sequence_text(members: tuple[Operation, ...], *, opened: bool) -> Content:
    """What a sequence holds."""
    if not members:
        return Content("Its shape is not known as long as the chain breaks above.")
    parameters = sum(member.arithmetic.parameters for member in members)
    rows = [
        ("from → to", f"{format_shape(members[0].input)} → {format_shape(members[-1].arithmetic.output)}"),
        ("parameters", f"{parameters:,}"),
        ("multiply-adds", f"{sum(member.arithmetic.macs for member in members):,}"),
    ]
    keys = "Its layers can be changed one by one." if opened else "→ opens it."
    return _rows(rows, f"Layers that follow one another under one name. {keys}")


def _rows(rows: list[tuple[str, str]], explanation: str, more: Iterable[tuple[str, str]] = ()) -> Content:
    """Labelled lines, the explanation, and the lines that may be out of view on a small terminal."""
    above, below = (
        [Content.assemble((f"{label:<18}", "$text-muted"), value) for label, value in part] for part in (rows, more)
    )
    return Content("\n").join([*above, *([Content(explanation)] if explanation else []), *below])
