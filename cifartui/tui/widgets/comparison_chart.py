"""The curves of several runs in one chart, each with a letter of its own."""

from collections.abc import Sequence
from typing import NamedTuple

from cifartui.evaluation.comparison import Axis, RunCurves
from cifartui.tui.theme import CLASSES
from cifartui.tui.widgets.axes import clock_ticks, number_ticks
from cifartui.tui.widgets.charts import HELD_OUT_MARK, SMOOTHING, smoothed
from cifartui.tui.widgets.dot_canvas import Ink
from cifartui.tui.widgets.figure import Figure, Letter, Points, Series

LETTERS = "ABCDEFGH"
"""The runs' names in charts; more curves than that cannot be told apart."""
COLOURS = tuple(f"class-{name}" for name in CLASSES[: len(LETTERS)])
"""Variables of the theme, one for each letter."""
TESTED_MARK = "◆"
STAGGER = 0.06
"""Of the chart's width, by which a letter stands before that of the run before: curves often end at one place."""


class LetteredCurves(NamedTuple):
    """The curves of a run, and its place among those compared."""

    place: int
    curves: RunCurves


def comparison_figure(lettered: Sequence[LetteredCurves], axis: Axis) -> Figure:
    """A line for the training images of each run, dots for held-out and diamonds for test images."""
    end = max((place for _, curves in lettered for points in curves for place, _ in points), default=0.0)
    series: list[Series] = []
    letters: list[Letter] = []
    for number, curves in lettered:
        ink, letter_ink = Ink(COLOURS[number]), Ink(COLOURS[number], is_bold=True)
        letter = LETTERS[number]
        training = smoothed(curves.training, SMOOTHING * end or 1.0)
        series += [
            Series(letter, training, ink),
            Series(letter, curves.held_out, ink, "marks", HELD_OUT_MARK),
            Series(letter, curves.tested, ink, "marks", TESTED_MARK),
        ]
        curve: Points = training or curves.held_out or curves.tested
        if curve:
            latest = curve[-1][0] * (1 - STAGGER * number)
            place, value = next((point for point in reversed(curve) if point[0] <= latest), curve[0])
            letters.append(Letter(place, value, letter, letter_ink))
    return Figure(
        tuple(each for each in series if each.points),
        letters=tuple(letters),
        end=end,
        place_ticks=clock_ticks if axis == "time" else number_ticks,
    )
