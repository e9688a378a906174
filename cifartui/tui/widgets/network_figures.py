"""A network drawn to scale in pixels: where each volume stands, and which pixels it paints.

As in the figures of papers, feature maps lie one behind another: what is seen of them is the first one's face and the
others' edges. A pixel is half a cell of the terminal.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cifartui.text import cells
from cifartui.tui.widgets.volumes import BROKEN, UNKNOWN, Volume

GAP = 2
"""Cells between two volumes' places."""
SCALES = tuple(0.94**step for step in range(12))
"""Tried until all volumes stand side by side."""
SCROLLED_SCALE = 0.6
"""Taken where they do not at any, mostly for their labels' sake; what is out of view is scrolled to."""
CROSS, DOTS = 8, 2
"""Pixels of the mark of a layer that does not fit, and of one whose size is not known."""

FACE, EDGE, CLEFT, WINDOW = "face", "edge", "cleft", "window"
"""Of a map, of every second one behind it, between those, and what a layer's window looks at."""


class Ink(NamedTuple):
    """What a pixel shows."""

    kind: str
    part: str
    is_marked: bool


@dataclass(frozen=True)
class Figure:
    """A volume in its place."""

    volume: Volume
    left: int
    """Of its place, in cells."""
    cells: int
    """Of its place, which has room for its labels."""
    width: int
    """Of its face, in pixels, as the following."""
    height: int
    depth: int
    """To the right and upwards; even, so that the map at the back is one that is seen."""

    @property
    def face_left(self) -> int:
        """Where its face begins."""
        return self.left + (self.cells - self.width - self.depth) // 2


def figures_of(volumes: list[Volume], columns: int, pixels: int) -> list[Figure]:
    """The volumes side by side, as large as `pixels` of height and, if it can be, `columns` of cells allow."""
    tallest = max(volume.extent.height + volume.extent.depth for volume in volumes)
    for shrinking in SCALES:
        figures = _at_scale(volumes, shrinking * pixels / tallest, pixels)
        if figures[-1].left + figures[-1].cells <= columns:
            return figures
    return _at_scale(volumes, SCROLLED_SCALE * pixels / tallest, pixels)


def _at_scale(volumes: list[Volume], scale: float, pixels: int) -> list[Figure]:
    figures: list[Figure] = []
    left = 0
    for volume in volumes:
        if volume.kind == BROKEN:
            width = height = min(CROSS, pixels)
            depth = 0
        elif volume.kind == UNKNOWN:
            width, height, depth = DOTS, 1, 0
        else:
            extent = volume.extent
            depth = 2 * max(1, round(scale * extent.depth / 2)) if len(volume.shape) == 3 and volume.shape[0] > 1 else 0
            depth = min(depth, pixels - 1)
            width, height = max(1, round(scale * extent.width)), max(1, round(scale * extent.height))
            height = max(1, min(height, pixels - depth))
        labels = (volume.name, compact(volume), volume.note, *volume.followers[:1])
        room = max(width + depth, *map(cells, labels))
        figures.append(Figure(volume, left, room, width, height, depth))
        left += room + GAP
    return figures


def compact(volume: Volume) -> str:
    """The shape of a volume for a label: `6×28×28`."""
    return "×".join(map(str, volume.shape)) or ("?" if volume.kind == UNKNOWN else "")


def painted(figures: list[Figure], pixels: int, marked: int | None, *, window: bool) -> list[list[Ink | None]]:
    """Rows of pixels, the figures on their lowest one; `window` shows what the marked one's layer looks at."""
    columns = figures[-1].left + figures[-1].cells
    rows: list[list[Ink | None]] = [[None] * columns for _ in range(pixels)]
    for number, figure in enumerate(figures):
        _paint(rows, figure, is_marked=number == marked)
    if window and marked:
        _paint_window(rows, figures[marked - 1], figures[marked])
    return rows


def _paint(rows: list[list[Ink | None]], figure: Figure, *, is_marked: bool) -> None:
    left, floor, kind = figure.face_left, len(rows), figure.volume.kind
    if kind == BROKEN:
        for step in range(figure.width):
            for column in (left + step, left + figure.width - 1 - step):
                rows[floor - 1 - step][column] = Ink(kind, FACE, is_marked)
        return
    is_list = len(figure.volume.shape) == 1
    for behind in range(figure.depth, -1, -1):
        part = FACE if behind == 0 else CLEFT if behind % 2 else EDGE
        for row in range(figure.height):
            shown = (FACE if row % 2 == 0 else EDGE) if is_list else part
            y = floor - 1 - behind - row
            rows[y][left + behind : left + behind + figure.width] = [Ink(kind, shown, is_marked)] * figure.width


def _paint_window(rows: list[list[Ink | None]], before: Figure, after: Figure) -> None:
    """The window in the middle of the maps that it slides over, and the value that it makes there."""
    looked, made = after.volume.window, after.volume.shape
    if looked < 2 or len(before.volume.shape) != 3 or len(made) != 3:
        return
    for figure, side in ((before, looked * before.width / before.volume.shape[2]), (after, after.width / made[2])):
        size = min(max(1, round(side)), figure.width, figure.height)
        left = figure.face_left + (figure.width - size) // 2
        top = len(rows) - figure.height + (figure.height - size) // 2
        for row in range(size):
            for column in range(size):
                if size < 3 or row in (0, size - 1) or column in (0, size - 1):
                    rows[top + row][left + column] = Ink(figure.volume.kind, WINDOW, True)
