"""Outputs without height and width: a bar for each value."""

from typing import TYPE_CHECKING

import numpy as np
from textual.content import Content

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER_CELLS = 9


def bars(values: "NDArray[np.float32]", names: tuple[str, ...], columns: int) -> Content:
    """A line for each value, from the middle to the left where it is negative; the largest is marked."""
    finite = np.nan_to_num(values)
    most = float(np.abs(finite).max(initial=0)) or 1.0
    name_cells = max(len(name) for name in names) + 1
    half = max(4, (columns - name_cells - NUMBER_CELLS - 8) // 2)
    largest = int(finite.argmax())
    lines = []
    for index, (name, value) in enumerate(zip(names, values.tolist(), strict=True)):
        cells = round(half * abs(float(finite[index])) / most)
        left, right = ("█" * cells, "") if value < 0 else ("", "█" * cells)
        line = Content.assemble(
            f"{name:>{name_cells}}{value:>{NUMBER_CELLS}.3f} ",
            (left.rjust(half), "$accent"),
            "│",
            (right.ljust(half), "$success"),
            (" ◂" if index == largest else "", "bold"),
        )
        lines.append(line)
    return Content("\n").join(lines)
