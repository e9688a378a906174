"""What flows through a network, line by line of its table: stacks of feature maps, then lists of numbers."""

from dataclasses import dataclass, replace
from math import prod, sqrt
from typing import NamedTuple

from cifartui.model.layers import AvgPool2d, BatchNorm2d, Block, Conv2d, GlobalAvgPool2d, Layer, Linear, MaxPool2d
from cifartui.model.shapes import Shape
from cifartui.model.summary import Operation, Summary
from cifartui.text import printable
from cifartui.tui.widgets.layer_rows import Row

INPUT, CONVOLUTION, POOLING, BLOCK, LIST, OUTPUT, OTHER = (
    "input",
    "convolution",
    "pooling",
    "block",
    "list",
    "output",
    "other",
)
BROKEN, UNKNOWN = "broken", "unknown"
"""Of a layer that does not fit, and of those after it."""
DEPTH, LENGTH = 1.0, 1.5
"""Pixels of maps' depth for the square root of their number, and of a list's length for that of its numbers."""
LIST_WIDTH = 3


class Extent(NamedTuple):
    """How large a volume is drawn, in pixels of its feature maps' sides."""

    width: float
    height: float
    depth: float


@dataclass(frozen=True)
class Volume:
    """The values between two layers that change their shape."""

    maker: str
    """The line of the table that makes it, by name."""
    kind: str
    """Of what makes it."""
    shape: Shape = ()
    """Empty where it is not known."""
    note: str = ""
    """Said below it: what it consists of, or what a layer takes that does not fit."""
    followers: tuple[str, ...] = ()
    """The lines after it that keep its shape."""
    others: tuple[str, ...] = ()
    """The lines of what is opened around its maker or within it."""
    window: int = 1
    """Values of the volume before it, in each direction, that one of its own is made of."""
    has_shortcut: bool = False
    """Whether what comes before it goes around its layers, too."""

    @property
    def name(self) -> str:
        """Of the layer that makes it, as its label says it."""
        return INPUT if self.kind == INPUT else short(self.maker)

    @property
    def extent(self) -> Extent:
        """Sides as they are; channels, and the numbers of a list, by their square root."""
        if len(self.shape) == 3:
            channels, height, width = self.shape
            return Extent(width, height, DEPTH * sqrt(channels))
        return Extent(LIST_WIDTH, LENGTH * sqrt(prod(self.shape)), 0)

    def stands_for(self, line: str) -> bool:
        """Whether a line of the table ends in this volume."""
        return line == self.maker or line in self.followers or line in self.others


def volumes_of(rows: list[Row], summary: Summary) -> list[Volume]:
    """The volumes of the table's lines: what is closed there is one, and a block with a shortcut always is."""
    made = [Volume(rows[0].name, INPUT, summary.input)]
    opened: list[str] = []
    block = ""  # whose inner lines follow
    for row in rows[1:]:
        if block and row.parent == block:
            made[-1] = replace(made[-1], others=(*made[-1].others, row.name))
            continue
        is_block = bool(row.operation and isinstance(row.operation.layer, Block))
        if row.opened and not is_block:
            opened.append(row.name)
            continue
        block = row.name if row.opened else ""
        if row.operation and _keeps_shape(row.operation):
            before = made[-1]
            made[-1] = replace(before, followers=(*before.followers, row.name), others=(*before.others, *opened))
        else:
            made.append(replace(_volume(row, summary), others=tuple(opened)))
        opened = []
    if made[-1].kind == LIST:
        made[-1] = replace(made[-1], kind=OUTPUT)
    return made


def _volume(row: Row, summary: Summary) -> Volume:
    if row.problem:
        layer = summary.network.layers[row.position] if row.position is not None else None
        return Volume(row.name, BROKEN, note=_wants(layer))
    if row.members:
        blocks = sum(isinstance(member.layer, Block) for member in row.members)
        is_all_blocks = blocks == len(row.members)
        note = f"{blocks} blocks" if is_all_blocks else f"{len(row.members)} layers"
        return Volume(row.name, BLOCK, row.members[-1].arithmetic.output, note, has_shortcut=is_all_blocks)
    if row.operation is None:
        return Volume(row.name, UNKNOWN)
    sums, has_shortcut = row.operation.arithmetic, isinstance(row.operation.layer, Block)
    note = "shortcut" if has_shortcut else ""
    return Volume(row.name, _kind(row.operation), sums.output, note, window=sums.window, has_shortcut=has_shortcut)


def _keeps_shape(operation: Operation) -> bool:
    sums = operation.arithmetic
    return sums.output == operation.input and not sums.macs and not operation.inner


def _kind(operation: Operation) -> str:
    if len(operation.arithmetic.output) == 1:
        return LIST
    match operation.layer:
        case Conv2d():
            return CONVOLUTION
        case MaxPool2d() | AvgPool2d() | GlobalAvgPool2d():
            return POOLING
    return BLOCK if operation.inner else OTHER


def _wants(layer: Layer | None) -> str:
    match layer:
        case None:
            return "ends here"
        case Linear():
            return f"takes {layer.in_features:,}"
        case Conv2d() | Block():
            return f"takes {layer.in_channels:,}×…"
        case BatchNorm2d():
            return f"takes {layer.num_features:,}×…"
    return "does not fit"


def short(name: str) -> str:
    """The last part of a name, with its number in a sequence: `layer1.0`, and `conv1` for `layer1.0.conv1`."""
    parts = printable(name, 60).split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]
