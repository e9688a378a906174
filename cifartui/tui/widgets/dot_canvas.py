"""Lines of dots in Braille characters, eight dots to a cell; in each cell, what was drawn last is seen."""

import math
from typing import NamedTuple

DOT_COLUMNS, DOT_LINES = 2, 4
"""Dots of a cell, beside and above each other."""
BRAILLE = 0x2800
"""The character without a dot."""
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Of each dot of a cell, by line and column (Unicode, chapter 21.1)."""
DASH = 3
"""Dots that are drawn, and as many that are not, of a dashed line."""


class Ink(NamedTuple):
    """How something is drawn: a variable of the theme, and how strongly."""

    colour: str
    is_faint: bool = False
    is_bold: bool = False


class Cell(NamedTuple):
    """A character, and how it is drawn; None where nothing is."""

    character: str
    ink: Ink | None


EMPTY = Cell(" ", None)


class DotCanvas:
    """Cells to draw into: dots count from the left upper corner, right and down."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.dots_wide, self.dots_high = columns * DOT_COLUMNS, lines * DOT_LINES
        self._bits = [0] * (columns * lines)
        self._marks = [""] * (columns * lines)
        self._inks: list[Ink | None] = [None] * (columns * lines)

    def dot(self, x: int, y: int, ink: Ink) -> None:
        """Draw a dot; it joins those of the same ink in its cell and replaces what else is there."""
        place = (y >> 2) * self.columns + (x >> 1)
        bit = BITS[y & 3][x & 1]
        if self._inks[place] is ink and not self._marks[place]:
            self._bits[place] |= bit
        else:
            self._bits[place], self._marks[place], self._inks[place] = bit, "", ink

    def line(self, x0: float, y0: float, x1: float, y1: float, ink: Ink, *, is_dashed: bool = False) -> None:
        """Draw what is inside of the canvas of a straight line between two dots."""
        if not (self._has(x0, y0) and self._has(x1, y1)):
            clipped = _clipped(x0, y0, x1, y1, self.dots_wide - 1, self.dots_high - 1)
            if clipped is None:
                return
            x0, y0, x1, y1 = clipped
        right, down = x1 - x0, y1 - y0
        count = max(1, math.ceil(max(abs(right), abs(down))))
        for number in range(count + 1):
            x, y = round(x0 + right * number / count), round(y0 + down * number / count)
            if not is_dashed or x // DASH % 2 == 0:
                self.dot(x, y, ink)

    def write(self, column: int, line: int, text: str, ink: Ink) -> None:
        """Write single-cell characters from a cell on, as far as there are cells."""
        if not 0 <= line < self.lines:
            return
        for place, character in enumerate(text, column):
            if 0 <= place < self.columns:
                index = line * self.columns + place
                self._marks[index], self._inks[index] = character, ink

    def upright(self, column: int, mark: str, ink: Ink) -> None:
        """Draw a mark into each cell of a column that is still empty."""
        for index in range(column, self.columns * self.lines, self.columns):
            if self._inks[index] is None:
                self._marks[index], self._inks[index] = mark, ink

    def cells(self, line: int) -> list[Cell]:
        """What is drawn in a line of cells."""
        span = slice(line * self.columns, (line + 1) * self.columns)
        return [
            EMPTY if ink is None else Cell(mark or chr(BRAILLE | bits), ink)
            for bits, mark, ink in zip(self._bits[span], self._marks[span], self._inks[span], strict=True)
        ]

    def _has(self, x: float, y: float) -> bool:
        return 0 <= x <= self.dots_wide - 1 and 0 <= y <= self.dots_high - 1


def _clipped(
    x0: float, y0: float, x1: float, y1: float, width: float, height: float
) -> tuple[float, float, float, float] | None:
    """The part of a line that is within a rectangle from the origin; None where there is none (Liang and Barsky)."""
    right, down = x1 - x0, y1 - y0
    enters, leaves = 0.0, 1.0
    for towards, room in ((-right, x0), (right, width - x0), (-down, y0), (down, height - y0)):
        if towards == 0:
            if room < 0:
                return None
        elif towards < 0:
            enters = max(enters, room / towards)
        else:
            leaves = min(leaves, room / towards)
    if enters > leaves:
        return None
    ends = (x0 + enters * right, y0 + enters * down, x0 + leaves * right, y0 + leaves * down)
    return (
        min(max(ends[0], 0.0), width),
        min(max(ends[1], 0.0), height),
        min(max(ends[2], 0.0), width),
        min(max(ends[3], 0.0), height),
    )
