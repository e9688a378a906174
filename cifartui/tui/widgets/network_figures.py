"""A network drawn to scale in pixels: where each volume stands, and which pixels it paints.

As in the figures of papers, feature maps lie one behind another: what is seen of them is the first one's face and the
others' edges. A pixel is half a cell of the terminal.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from cifartui.text import cells
from cifartui.tui.widgets.volumes import BROKEN, UNKNOWN, Volume, short

GAP = 2
"""Cells between two volumes' places."""
SCALES = tuple(0.94**step for step in range(12))
"""Tried until all volumes stand side by side."""
SCROLLED_SCALE = 0.7
"""Taken where they do not at any, mostly for their labels' sake; what is out of view is scrolled to."""
CROSS, DOTS = 8, 2
"""Pixels of the mark of a layer that does not fit, and of one whose size is not known."""
HEADROOM = 3
"""Pixels above a block for its shortcut."""
SHORTCUT = "shortcut"

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
    headroom = HEADROOM if any(volume.has_shortcut for volume in volumes) else 0
    most = max(1, pixels - headroom)
    whole = most / max(volume.extent.height + volume.extent.depth for volume in volumes)
    rooms = [max(map(cells, _labels(volume))) for volume in volumes]
    for shrinking in SCALES:
        figures = _at_scale(volumes, rooms, shrinking * whole, most)
        if figures[-1].left + figures[-1].cells <= columns:
            return figures
    return _at_scale(volumes, rooms, SCROLLED_SCALE * whole, most)


def _labels(volume: Volume) -> tuple[str, ...]:
    """Those that are never cut."""
    return (volume.name, compact(volume), volume.note, *map(short, volume.followers[:1]))


def _at_scale(volumes: list[Volume], rooms: list[int], scale: float, pixels: int) -> list[Figure]:
    figures: list[Figure] = []
    left = 0
    for volume, room in zip(volumes, rooms, strict=True):
        width, height, depth = _pixels_of(volume, scale, pixels)
        place = max(width + depth, room)
        figures.append(Figure(volume, left, place, width, height, depth))
        left += place + GAP
    return figures


def _pixels_of(volume: Volume, scale: float, pixels: int) -> tuple[int, int, int]:
    """Width, height and depth of a volume, which are `pixels` high together at most."""
    if volume.kind == BROKEN:
        return min(CROSS, pixels), min(CROSS, pixels), 0
    if volume.kind == UNKNOWN:
        return DOTS, 1, 0
    extent = volume.extent
    has_maps_behind = len(volume.shape) == 3 and volume.shape[0] > 1
    depth = min(2 * max(1, round(scale * extent.depth / 2)), pixels - 1) if has_maps_behind else 0
    width, height = (max(1, round(scale * side)) for side in (extent.width, extent.height))
    return width, max(1, min(height, pixels - depth)), depth


def compact(volume: Volume) -> str:
    """The shape of a volume for a label: `6×28×28`."""
    return "×".join(map(str, volume.shape)) or ("?" if volume.kind == UNKNOWN else "")


def painted(figures: list[Figure], pixels: int, marked: int | None, *, window: bool) -> list[list[Ink | None]]:
    """Rows of pixels from the first figure's place on, all figures on the lowest row.

    `window` shows what the layer looks at that makes the marked one.
    """
    origin = figures[0].left
    placed = [replace(figure, left=figure.left - origin) for figure in figures]
    columns = placed[-1].left + placed[-1].cells + GAP
    rows: list[list[Ink | None]] = [[None] * columns for _ in range(pixels)]
    for number, figure in enumerate(placed):
        _paint(rows, figure, is_marked=number == marked)
        if figure.volume.has_shortcut and number:
            _paint_shortcut(rows, figure)
    if window and marked:
        _paint_window(rows, placed[marked - 1], placed[marked])
    return rows


def _paint_shortcut(rows: list[list[Ink | None]], figure: Figure) -> None:
    """A line from what comes before, over the block, to what it gives."""
    left, right = figure.left - 1, figure.face_left + figure.width + figure.depth + 1
    top = len(rows) - figure.height - figure.depth - HEADROOM + 1
    line = Ink(SHORTCUT, FACE, False)
    rows[top][left : right + 1] = [line] * (right + 1 - left)
    for y in range(top, len(rows) - figure.height // 2):
        rows[y][left] = line
    for y in range(top, len(rows) - figure.depth - figure.height // 2):
        rows[y][right] = line


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
