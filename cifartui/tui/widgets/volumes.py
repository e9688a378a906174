"""What flows through a network, line by line of its table: stacks of feature maps, then lists of numbers."""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from cifartui.model.layers import AvgPool2d, BatchNorm2d, Block, Conv2d, GlobalAvgPool2d, Layer, Linear, MaxPool2d
from cifartui.model.shapes import Shape
from cifartui.model.summary import Operation, Summary
from cifartui.text import printable
from cifartui.tui.widgets.layer_table import Row

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

    name: str
    """Of the layer that makes it."""
    kind: str
    """Of what makes it."""
    shape: Shape = ()
    """Empty where it is not known."""
    note: str = ""
    """Said of a layer that does not fit."""
    followers: tuple[str, ...] = ()
    """The layers after it that keep its shape."""
    lines: tuple[str, ...] = ()
    """The lines of the table that it stands for, by name."""
    window: int = 1
    """Values of the volume before it, in each direction, that one of its own is made of."""

    @property
    def extent(self) -> Extent:
        """Sides as they are; channels, and the numbers of a list, by their square root."""
        if len(self.shape) == 3:
            channels, height, width = self.shape
            return Extent(width, height, DEPTH * sqrt(channels))
        length = 1
        for size in self.shape:
            length *= size
        return Extent(LIST_WIDTH, LENGTH * sqrt(length), 0)

    def with_line(self, name: str, follower: str = "") -> "Volume":
        """The volume standing for one more line of the table."""
        followers = (*self.followers, follower) if follower else self.followers
        return Volume(self.name, self.kind, self.shape, self.note, followers, (*self.lines, name), self.window)


def volumes_of(rows: list[Row], summary: Summary) -> list[Volume]:
    """The volumes of the table's lines: what is closed there is one, and a block with a shortcut always is."""
    made = [Volume("input", INPUT, summary.input, lines=(rows[0].name,))]
    headings: list[str] = []
    whole = ""
    """The block whose inner lines stand for it."""
    for row in rows[1:]:
        if whole and row.parent == whole:
            made[-1] = made[-1].with_line(row.name)
            continue
        operation = row.operation
        if row.opened and not (operation and isinstance(operation.layer, Block)):
            headings.append(row.name)
            continue
        whole = row.name if row.opened else ""
        if operation and _keeps_shape(operation):
            made[-1] = made[-1].with_line(row.name, _short(row.name))
        else:
            made.append(_volume(row, summary, (*headings, row.name)))
        headings = []
    last = made[-1]
    if last.kind == LIST:
        made[-1] = Volume(last.name, OUTPUT, last.shape, last.note, last.followers, last.lines)
    return made


def _volume(row: Row, summary: Summary, lines: tuple[str, ...]) -> Volume:
    name, operation = _short(row.name), row.operation
    if row.problem:
        layer = summary.network.layers[row.position] if row.position is not None else None
        return Volume(name, BROKEN, note=_wants(layer), lines=lines)
    if row.members:
        blocks = sum(isinstance(member.layer, Block) for member in row.members)
        note = f"{blocks} blocks" if blocks == len(row.members) else f"{len(row.members)} layers"
        return Volume(name, BLOCK, row.members[-1].arithmetic.output, note, lines=lines)
    if operation is None:
        return Volume(name, UNKNOWN, lines=lines)
    sums = operation.arithmetic
    kind, note = _kind(operation), "+ shortcut" if isinstance(operation.layer, Block) else ""
    return Volume(name, kind, sums.output, note, lines=lines, window=sums.window)


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


def _short(name: str) -> str:
    """The last part of a name, with its number in a sequence: `layer1.0`, and `conv1` for `layer1.0.conv1`."""
    parts = printable(name, 60).split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]
