"""What a data set is made of: how many pictures of each class, and how bright its channels are."""

import itertools
from typing import Any

from textual.app import App
from textual.content import Content

from cifartui.dataset.store import DatasetFacts, Split
from cifartui.text import cells, column, printable
from cifartui.tui.theme import class_variable
from cifartui.tui.widgets.bars import bar

BLOCKS = " ▁▂▃▄▅▆▇█"
HISTOGRAM_LINES = 2
CHANNELS = {"red": "class-cat", "green": "class-bird", "blue": "class-airplane"}
"""Each with the theme's colour that is most like it."""
LEAST_NAME_CELLS, MOST_NAME_CELLS = 8, 14


def class_bars(app: App[Any], facts: DatasetFacts, split: Split, width: int, lines: int) -> Content:
    """For each class its pictures of a split, with a bar as long as its share of the most; in so many lines."""
    counts = getattr(facts.class_counts, split)
    number = len(counts)
    shown = number if number <= lines else max(0, lines - 1)
    most = max(1, *counts)
    figures = max(len(f"{count:,}") for count in counts)
    widest = max(cells(name) for name in facts.classes[:shown] or ("",))
    names = min(max(widest, LEAST_NAME_CELLS), MOST_NAME_CELLS)
    room = max(1, width - names - figures - 4)
    rows = []
    for label in range(shown):
        name = facts.classes[label]
        variable = class_variable(name, label)
        rows.append(
            Content.assemble(
                ("■ ", f"${variable}"),
                column(printable(name), names),
                " ",
                bar(app, counts[label] / most, room, variable),
                (f" {counts[label]:>{figures},}", "$text-muted"),
            )
        )
    if shown < number:
        rows.append(Content.styled(f"… and {number - shown} more: / lists them", "$text-muted"))
    return Content("\n").join(rows)


def guess_text(facts: DatasetFacts, split: Split) -> str:
    """How often always naming the commonest class is right."""
    counts = getattr(facts.class_counts, split)
    if len(set(counts)) == 1:
        return f"a guess is right 1 time in {len(counts)}"
    return f"{max(counts) / sum(counts):.0%} are of the commonest class"


def channels_text(facts: DatasetFacts, width: int) -> Content:
    """How often each value comes in each channel of the training images, from 0 on the left to 255."""
    lines = []
    for number, (name, variable) in enumerate(CHANNELS.items()):
        figures = f"mean {facts.mean[number]:.3f}  std {facts.std[number]:.3f}"
        lines.append(Content.assemble((f"{name:<6}", f"${variable}"), (figures, "$text-muted")))
        if facts.histogram:
            lines += [Content.styled(line, f"${variable}") for line in _histogram(facts.histogram[number], width)]
    if facts.histogram:
        cells_wide = min(width, len(facts.histogram[0]))
        lines.append(Content.styled("0" + "255".rjust(cells_wide - 1), "$text-muted"))
    else:
        lines.append(Content.styled("stored without histograms; importing it again counts them", "$text-muted"))
    return Content("\n").join(lines)


def _histogram(counts: tuple[int, ...], width: int) -> list[str]:
    columns = max(1, min(width, len(counts)))
    edges = [place * len(counts) // columns for place in range(columns + 1)]
    heights = [sum(counts[start:end]) / (end - start) for start, end in itertools.pairwise(edges)]
    eighths = [round(height / max(*heights, 1) * 8 * HISTOGRAM_LINES) for height in heights]
    return [
        "".join(BLOCKS[min(max(height - 8 * line, 0), 8)] for height in eighths)
        for line in reversed(range(HISTOGRAM_LINES))
    ]
