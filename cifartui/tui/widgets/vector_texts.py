"""Outputs without height and width: a bar for each value, and what the last of them mean."""

from typing import TYPE_CHECKING

import numpy as np
from textual.content import Content

from cifartui.text import cells
from cifartui.tui.widgets.class_names import short_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER_CELLS = 9
NAME_CELLS = 22
SCORES = "◂ the largest score is the network's answer · softmax: e^score, divided by the sum over all classes"


def bars(values: "NDArray[np.float32]", names: tuple[str, ...], columns: int, *, are_scores: bool = False) -> Content:
    """A line for each value, from the middle to the left where it is negative.

    Scores of classes have their probabilities beside them, the largest is marked, and a line says what is what.
    """
    finite = np.nan_to_num(values)
    most = float(np.abs(finite).max(initial=0)) or 1.0
    shown = short_names(list(names), NAME_CELLS)
    name_cells = max(map(cells, shown)) + 1
    half = max(4, (columns - name_cells - (1 + are_scores) * NUMBER_CELLS - 8) // 2)
    largest, shares = int(finite.argmax()), softmax(values).tolist()
    lines = []
    if are_scores:
        heading = f"{'score':>{name_cells + NUMBER_CELLS}}{'softmax':>{NUMBER_CELLS}}"
        lines.append(Content.styled(heading, "$text-muted"))
    for index, (name, value) in enumerate(zip(shown, values.tolist(), strict=True)):
        length = round(half * abs(float(finite[index])) / most)
        left, right = ("█" * length, "") if value < 0 else ("", "█" * length)
        line = Content.assemble(
            f"{' ' * (name_cells - cells(name))}{name}{value:>{NUMBER_CELLS}.3f}",
            f"{shares[index]:>{NUMBER_CELLS}.1%} " if are_scores else " ",
            (left.rjust(half), "$accent"),
            "│",
            (right.ljust(half), "$success"),
            (" ◂" if are_scores and index == largest else "", "bold"),
        )
        lines.append(line)
    if are_scores:
        lines.append(Content.styled(SCORES, "$text-muted"))
    return Content("\n").join(lines)


def softmax(scores: "NDArray[np.float32]") -> "NDArray[np.float64]":
    """The probabilities that scores stand for, as `torch.softmax` gives them; NaN where that gives NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        powers = np.exp(scores.astype(np.float64) - scores.max(initial=-np.inf))
        shares: NDArray[np.float64] = powers / powers.sum()
    return shares
