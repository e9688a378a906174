"""The arithmetic of one step of the kernel walk, with all its numbers."""

from typing import TYPE_CHECKING

import numpy as np
from textual.content import Content

from cifartui.inspection.kernel_walk import ConvStep, PoolStep

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNS = [" ×", " ="]
NARROW, WIDE = 5, 7
"""Cells of a number and the gap before it."""
TOTAL = "$warning"
"""The colour of the value that is made; `MARK` in the pictures."""
SPELLED_OUT = 3
"""Channels up to which the sum is written channel by channel."""


def numbers_high(kernel_size: int, *, titled: bool) -> int:
    """Lines that the arithmetic takes; `titled` says what is what above it."""
    return kernel_size + 1 + titled


def signed(value: float, digits: int = 3) -> str:
    """The value without the sign of a zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def number(value: float, cells: int) -> str:
    """A number in `cells` cells: `-.12` where there is little room, `-0.123` where there is more."""
    if not np.isfinite(value):
        return f"{value:>{cells}}"
    for digits in range(cells // 2, -1, -1):
        text = signed(value, digits)
        if cells == NARROW - 1:
            text = text.replace("0.", ".", 1) if abs(value) < 1 and digits else text
        if len(text) <= cells:
            return f"{text:>{cells}}"
    return f"{value:.0e}".rjust(cells)


def conv_text(
    step: ConvStep,
    channel: int,
    names: tuple[str, ...],
    place: tuple[int, int],
    columns: int,
    *,
    bias: bool,
    titled: bool,
) -> Content:
    """Patch × kernel = products for one channel of the input, and how all channels' sums become the output.

    `names` are those of the channels that the filter looks at, `channel` is an index into them.
    """
    size = len(step.rows)
    cells = WIDE if 3 * size * WIDE + 4 <= columns else NARROW
    blocks = [
        _matrix(step.patch[channel], cells, step.inside),
        _matrix(step.kernel[channel], cells, None),
        _matrix(step.products[channel], cells, step.inside),
    ]
    fitting = max(1, min(3, (columns + 2) // (size * cells + 2)))
    blocks, signs = blocks[3 - fitting :], SIGNS[3 - fitting :]
    lines = []
    if titled:
        titles = ["input", "filter", "products"][3 - fitting :]
        lines.append(Content.styled("  ".join(f"   {title:<{size * cells - 3}}" for title in titles), "$text-muted"))
    for row in range(size):
        between = signs if row == size // 2 else ["  "] * len(signs)
        parts: list[Content] = [blocks[0][row]]
        for sign, block in zip(between, blocks[1:], strict=True):
            parts += [Content.styled(sign, "bold"), block[row]]
        lines.append(Content("").join(parts))
    last = _sum(step, channel, names, place, bias=bias)
    if last.cell_length > columns:
        last = _sum(step, channel, tuple(name[0].upper() for name in names), place, bias=bias)
    return Content("\n").join([*lines, last.truncate(columns, ellipsis=True)])


def _sum(step: ConvStep, channel: int, names: tuple[str, ...], place: tuple[int, int], *, bias: bool) -> Content:
    """The channels' sums and the bias, added up; the channel whose numbers stand above is bold."""
    if len(step.channels) <= SPELLED_OUT:
        parts = []
        for index, (name, value) in enumerate(zip(names, step.sums.tolist(), strict=True)):
            term = f"{name} {signed(value)}"
            parts.append(Content.styled(f"[{term}]", "bold") if index == channel else Content(term))
        terms = Content(" + ").join(parts)
    else:
        shown = Content.styled(f"{names[channel]} {signed(step.sums[channel])}", "bold")
        terms = Content.assemble(shown, f" · all {len(step.channels)} channels {signed(step.sums.sum())}")
    added = f" + bias {signed(step.bias)}" if bias else ""
    total = Content.styled(signed(step.total), f"bold {TOTAL}")
    return Content.assemble(" ", terms, f"{added} = ", total, f" at row {place[0]}, col {place[1]}")


def pool_text(step: PoolStep, place: tuple[int, int]) -> Content:
    """The values under the window, the largest marked."""
    lines = []
    for row in range(len(step.rows)):
        parts: list[Content] = []
        for column in range(len(step.columns)):
            value = number(float(step.patch[row, column]), WIDE - 1)
            if (row, column) == step.place:
                parts.append(Content.styled(f"[{value}]", f"bold {TOTAL}"))
            else:
                parts.append(Content(f" {value if step.inside[row, column] else '·'.rjust(WIDE - 1)} "))
        lines.append(Content("").join(parts))
    largest = signed(step.largest)
    last = Content.assemble(
        f" the largest of {int(step.inside.sum())} values is kept: ",
        (largest, f"bold {TOTAL}"),
        f" at row {place[0]}, col {place[1]}",
    )
    return Content("\n").join([*lines, last])


def _matrix(values: "NDArray[np.floating]", cells: int, inside: "NDArray[np.bool_] | None") -> list[Content]:
    """A line for each row; what lies in the padding is a dot, and signs have colours."""
    lines = []
    for row in range(len(values)):
        parts: list[Content] = []
        for column, value in enumerate(values[row].tolist()):
            if inside is not None and not inside[row, column]:
                parts.append(Content.styled("·".rjust(cells), "dim"))
            else:
                colour = "$success" if value > 0 else "$accent" if value < 0 else "$text-muted"
                parts.append(Content.styled(number(value, cells - 1).rjust(cells), colour))
        lines.append(Content("").join(parts))
    return lines
