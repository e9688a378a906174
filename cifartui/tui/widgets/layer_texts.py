"""What the model screen says of a layer: its arithmetic spelled out, and what each number of it is."""

from dataclasses import dataclass, replace
from textwrap import wrap
from typing import NamedTuple

from textual.content import Content

from cifartui.model.editing import repair, settings_text
from cifartui.model.layers import AvgPool2d, BatchNorm2d, Conv2d, Linear, MaxPool2d
from cifartui.model.memory import kept_bytes, training_bytes
from cifartui.model.shapes import format_shape
from cifartui.model.source import layer_lines
from cifartui.model.summary import Operation, Summary
from cifartui.text import cells, column, printable, size
from cifartui.tui.widgets.layer_rows import Row

FOLLOWS = "* follows"
LABEL_CELLS = 18
BELOW = 60
"""Columns below which labels stand above the numbers."""
UNKNOWN = "Its shape is not known as long as the chain breaks above."


class Fact(NamedTuple):
    """One number of a layer, or a few."""

    label: str
    value: str
    """With its arithmetic."""
    meaning: str = ""
    """What the numbers of the arithmetic are."""


@dataclass(frozen=True)
class RowText:
    """What is said of a line of the table."""

    title: str
    sizes: str = ""
    """Of what goes in and comes out."""
    facts: tuple[Fact, ...] = ()
    code: str = ""
    """The line of PyTorch that makes the layer."""
    hint: str = ""
    more: tuple[Fact, ...] = ()
    """Those that may be out of view on a small terminal."""
    problem: str = ""

    def heading(self, columns: int) -> str:
        """The title of a pane of so many columns; in a narrow one the sizes stand below it."""
        return f"{self.title} · {self.sizes}" if self.sizes and columns >= BELOW else self.title

    def content(self, columns: int, lesson: Content | None = None) -> Content:
        """The text for a pane of so many columns; a lesson, with the line of code, where no panel shows them."""
        code = (Fact("in PyTorch", self.code),) if self.code and lesson else ()
        sizes = (Fact("from → to", self.sizes),) if self.sizes and columns < BELOW else ()
        lines = _fact_lines((*sizes, *self.facts, *code, *self.more), columns)
        between = [Content(self.hint), lesson or Content("")]
        place = len(lines) - len(self.more)
        lines[place:place] = [part for part in between if part]
        if self.problem:
            lines.insert(0, Content.styled(self.problem, "$error"))
        return Content("\n").join(lines)


def row_text(row: Row, summary: Summary, batch_size: int, follows: str = "") -> RowText:
    """The text for a line of the table; `follows` says what of it follows the data set."""
    if row.operation:
        before = summary.operations[row.position - 1] if row.position else None
        text = layer_text(row.operation, batch_size, before, follows)
        return text if summary.network.factory else replace(text, code=layer_lines(row.operation.layer)[0])
    if row.opened is not None:
        return sequence_text(printable(row.name), row.members, opened=row.opened)
    if row.problem:
        offer = repair(summary)
        what = "the forward pass ends here" if row.position is None else f"{row.name} does not fit"
        return RowText(what, hint=f"y sets {settings_text(offer)}" if offer else "", problem=printable(row.problem))
    if row.position is not None:
        return RowText(row.name, hint=UNKNOWN)
    return input_text(summary, batch_size, follows)


def layer_text(operation: Operation, batch_size: int, before: Operation | None, follows: str = "") -> RowText:
    """One operation spelled out: what goes in, what comes out, and each number's arithmetic."""
    layer, sums = operation.layer, operation.arithmetic
    facts = [Fact(FOLLOWS, follows)] if follows else []
    if isinstance(layer, Linear) and before and before.arithmetic.formula:
        facts.append(Fact("inputs", f"{layer.in_features}: {before.layer.name} gives {before.arithmetic.formula}"))
    if sums.formula and (len(operation.input), len(sums.output)) == (3, 1):
        facts.append(Fact("outputs", sums.formula, "channels · rows · columns"))
    elif sums.formula:
        facts.append(Fact("height and width" if len(sums.output) == 3 else "outputs", sums.formula, _slide(operation)))
    if sums.parameters_formula:
        facts.append(Fact("parameters", sums.parameters_formula, _parameters(operation)))
    if sums.macs_formula:
        facts.append(Fact("multiply-adds", sums.macs_formula, _macs(operation)))
    if sums.note:
        facts.append(Fact("rounded away", sums.note))
    more = []
    if operation.receptive_field and operation.receptive_field > 1:
        field = operation.receptive_field
        more.append(Fact("looks at", f"{field} × {field} pixels of the picture", "what one value of it depends on"))
    in_batch = size(batch_size * operation.activation_bytes)
    outputs = "·".join(map(str, (*sums.output, 4)))
    counted = "all its outputs" if operation.inner else f"{outputs} bytes"
    more.append(
        Fact("memory", f"{counted} = {size(operation.activation_bytes)}", f"for a batch of {batch_size}: {in_batch}")
    )
    return RowText(
        printable(f"{layer.name} · {layer.label}"),
        f"{format_shape(operation.input)} → {format_shape(sums.output)}",
        tuple(facts),
        hint="→ shows its operations." if operation.inner else "",
        more=tuple(more),
    )


def _slide(operation: Operation) -> str:
    match operation.layer:
        case Conv2d() | MaxPool2d() | AvgPool2d():
            layer, edge = operation.layer, operation.input[-1]
            padding = f"{layer.padding} more at each edge" if layer.padding else "no padding"
            return f"{edge} pixels, a window of {operation.arithmetic.window}, {padding}, steps of {layer.stride}"
    return ""


def _parameters(operation: Operation) -> str:
    match operation.layer:
        case Conv2d():
            layer = operation.layer
            window = f"{layer.kernel_size}·{layer.kernel_size}·{layer.in_channels // layer.groups}"
            return f"{layer.out_channels} filters of {window} weights" + (", a bias each" if layer.bias else "")
        case Linear():
            return "a weight for each input and output, a bias for each output"
        case BatchNorm2d():
            return "a scale and a shift for each channel"
    return ""


def _macs(operation: Operation) -> str:
    match operation.layer:
        case Conv2d():
            return "places · filters · what the window covers"
        case Linear():
            return "every input times every one of its weights"
    return ""


def input_text(summary: Summary, batch_size: int, follows: str = "") -> RowText:
    """The input, and the network as a whole."""
    channels, height, width = summary.input
    weights, kept = 4 * summary.parameters, kept_bytes(summary, batch_size)
    facts = [
        Fact("one picture", f"{channels} channels of {height} × {width} pixels: {channels * height * width:,} numbers"),
        Fact("weights on disk", f"{size(summary.weight_bytes)}: {summary.parameters:,} parameters of 4 bytes"),
        Fact("work", f"{summary.macs:,} multiply-adds for one picture, about three times that to learn from it"),
        Fact(
            "training takes",
            f"at least {size(training_bytes(summary, batch_size))}: weights, gradients and momentum "
            f"(3 · {size(weights)}), and {size(kept)} that the backward pass needs of a batch of {batch_size}",
        ),
    ]
    if follows:
        facts.insert(0, Fact(FOLLOWS, follows))
    code = "" if summary.network.factory else "; p shows the network as PyTorch code"
    return RowText("input", facts=tuple(facts), hint=f"v tries another size of the pictures{code}.")


def sequence_text(name: str, members: tuple[Operation, ...], *, opened: bool) -> RowText:
    """What a sequence holds."""
    if not members:
        return RowText(name, hint=UNKNOWN)
    parameters = sum(member.arithmetic.parameters for member in members)
    facts = (
        Fact("from → to", f"{format_shape(members[0].input)} → {format_shape(members[-1].arithmetic.output)}"),
        Fact("parameters", f"{parameters:,}"),
        Fact("multiply-adds", f"{sum(member.arithmetic.macs for member in members):,}"),
    )
    keys = "Its layers can be changed one by one." if opened else "→ opens it."
    return RowText(name, facts=facts, hint=f"Layers that follow one another under one name. {keys}")


def _fact_lines(facts: tuple[Fact, ...], columns: int) -> list[Content]:
    """Labelled lines; in a narrow pane the label has a line of its own, else the meaning stands beside if it fits."""
    if columns < BELOW:
        return [
            Content.assemble(
                (label, "$text-muted"), _indented(value, columns), (_indented(meaning, columns), "$text-muted")
            )
            for label, value, meaning in facts
        ]
    value_cells = max((cells(fact.value) for fact in facts if fact.meaning), default=0) + 2
    room = columns - LABEL_CELLS - value_cells
    return [
        Content.assemble(
            (column(label, LABEL_CELLS), "$text-muted"), column(value, value_cells), (meaning, "$text-muted")
        )
        if meaning and cells(meaning) <= room
        else Content.assemble((column(label, LABEL_CELLS), "$text-muted"), value)
        for label, value, meaning in facts
    ]


def _indented(text: str, columns: int) -> str:
    """A text below its label, each of its lines as far in."""
    return "".join(f"\n  {line}" for line in wrap(text, max(columns - 2, LABEL_CELLS), break_on_hyphens=False))
