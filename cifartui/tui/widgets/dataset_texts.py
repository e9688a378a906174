"""What the dataset screen says of data sets: a line each, counts, histograms, what to do next, work under way."""

import textwrap
import time

from textual.content import Content

from cifartui.dataset.store import DatasetFacts, Split, load_facts
from cifartui.errors import DataError
from cifartui.progress import Progress
from cifartui.text import bar, cells, clock, column, printable, shortened

NAME_CELLS = 14
CLASS_CELLS = 12
LIST_CLASS_CELLS = 26
BLOCKS = " ▁▂▃▄▅▆▇█"
HISTOGRAM_LINES = 3
CHANNELS = {"red": "#e05c5c", "green": "#5cc05c", "blue": "#5c8cf0"}
SPLIT_WORDS: dict[Split, str] = {"train": "training", "validation": "held-out", "test": "test"}
STATISTICS = "mean: how bright red, green and blue are, from 0 to 1; std: how far they spread from that."
DATA_SET = "A data set is labelled pictures: a network learns from the training images and is tested on the others."


def job_line(key: str, step: Progress | None) -> Content:
    """Work under way in two lines: what, and how far."""
    if step is None:
        return Content(printable(f"… {key}"))
    left = ""
    if step.per_second and step.total:
        left = f"\n    {clock((step.total - step.done) / step.per_second)} left"
    return Content(printable(f"… {step.activity}")).append(f"\n    {step.amount}{left}")


def dataset_line(name: str, chosen: bool) -> Content:
    """Its mark if training will use it, its name, and its counts."""
    try:
        facts = load_facts(name)
    except DataError:
        return Content(f"✗ {shortened(name, 2 * NAME_CELLS)} · damaged")
    mark = "●" if chosen else " "
    drawn = " drawn" * facts.drawn
    return Content(
        f"{mark} {column(name, NAME_CELLS)}{counts(facts)}{drawn}"
    )  # no colour of its own: it is highlighted


def counts(facts: DatasetFacts) -> str:
    """Training, held-out (if there are any) and test images: `50,000 + 10,000`."""
    return " + ".join(f"{images:,}" for images in (facts.train, facts.validation, facts.test) if images)


def class_counts(facts: DatasetFacts) -> list[tuple[int, ...]]:
    """For each class its training, held-out (if there are any) and test images."""
    splits = (facts.class_counts.train, facts.class_counts.validation, facts.class_counts.test)
    return list(zip(*(split for split in splits if split), strict=True))


def class_lines(facts: DatasetFacts, labels: range, name_cells: int, width: int) -> list[Content]:
    """For each class its name and counts, and, where classes differ, a bar as long as its share of the largest."""
    of_class = class_counts(facts)
    most = max(1, *(one[0] for one in of_class))
    bars = len(set(of_class)) > 1  # equal ones would say nothing, loudly
    lines = []
    for label in labels:
        name = column(printable(facts.classes[label]), name_cells - 1)
        numbers = " +".join(f"{images:>6,}" for images in of_class[label])
        cells_left = max(2, width - name_cells - len(numbers)) if bars else 0
        filled = bar(of_class[label][0] / most, cells_left)
        lines.append(Content.assemble(f"{name} ", (filled, "$secondary"), (numbers, "$text-muted")))
    return lines


def facts_text(facts: DatasetFacts, width: int, lines: int) -> Content:
    """Counts per class, the channels' statistics and where the pictures came from, in so many cells and lines."""
    height, wide = facts.image_size
    sides = f"{wide}×{height} pixels, " if wide == height else f"{wide} wide, {height} high, "
    checked = time.strftime(" ✓ %Y-%m-%d", time.localtime(facts.verified)) if facts.verified else ""
    source = shortened(printable(facts.source), width - cells(sides + checked))
    below = [f"mean {_triple(facts.mean)}  std {_triple(facts.std)}", f"{sides}{source}{checked}"]
    room = lines - len(below)
    classes = _equal_classes(facts, width, room) or _unequal_classes(facts, width, room)
    legend = textwrap.wrap(STATISTICS, max(10, width))
    if len(classes) + len(legend) < room:
        below += ["", *legend]
    return Content("\n").join([*classes, *(Content.styled(shortened(line, width), "$text-muted") for line in below)])


def _equal_classes(facts: DatasetFacts, width: int, lines: int) -> list[Content]:
    """The names of classes that all have the same counts; ten equal bars would say no more."""
    of_class = class_counts(facts)
    if len(set(of_class)) > 1:
        return []
    number = len(facts.classes)
    head = [
        f"{number} classes, each {' + '.join(f'{images:,}' for images in of_class[0])} images:",
        f"a guess is right 1 time in {number}",
    ]
    widest = max(1, min(max(cells(name) for name in facts.classes), width - 2))
    across = max(1, (width + 2) // (widest + 2))
    room = across * max(1, lines - len(head))
    shown = list(facts.classes if number <= room else facts.classes[: room - across])
    rows = [
        "  ".join(column(printable(name), widest) for name in shown[start : start + across])
        for start in range(0, len(shown), across)
    ]
    more = [f"… and {number - len(shown)} more: c lists them"] if len(shown) < number else []
    return [Content.styled(shortened(line, width), "$text-muted") for line in head] + [
        Content(row) for row in rows + more
    ]


def _unequal_classes(facts: DatasetFacts, width: int, lines: int) -> list[Content]:
    number = len(facts.classes)
    shown = number if number <= lines else max(1, lines - 1)
    rows = class_lines(facts, range(shown), CLASS_CELLS, width)
    more = [Content.styled(f"… and {number - shown} more: c lists them", "$text-muted")] if shown < number else []
    return rows + more


def class_choices(facts: DatasetFacts, width: int) -> list[tuple[str, Content]]:
    """All classes and then each, to choose from: the label as text, and a line with counts."""
    lines = class_lines(facts, range(len(facts.classes)), LIST_CLASS_CELLS, width)
    each = [(str(label), Content(line.plain)) for label, line in enumerate(lines)]  # to be read when highlighted, too
    return [("", Content(f"all classes: {counts(facts)} images")), *each]


def next_text(facts: DatasetFacts | None, chosen: str | None, working: bool) -> Content:
    """What this is and what to do next, for the data set under the cursor."""
    if facts is None:
        steps = "f fetches CIFAR-10, i imports your own pictures, delete removes what is damaged."
        return Content(steps if not working else f"{DATA_SET} The first one is on its way.")
    more = "f fetches CIFAR-10, i imports your own pictures." if facts.drawn else ""
    if working:
        steps = "Look around meanwhile: ←→ pictures, o opens one; x cancels."
    elif facts.name == chosen:
        steps = "Training will use ●. Next: 2 shows the network, 3 trains it."
    else:
        steps = "enter: train on this one. ←→ pictures, o opens one, / a class."
    return Content.assemble((steps, "bold"), f" {more}\n" if more else "\n", (DATA_SET, "$text-muted"))


def histogram_text(facts: DatasetFacts) -> Content:
    """How often each value comes in each channel of the training images, from 0 on the left to 255."""
    if not facts.histogram:
        return Content("This data set was stored without histograms; remove it and import it again to see them.")
    lines = []
    for (name, colour), channel in zip(CHANNELS.items(), facts.histogram, strict=True):
        heights = [round(count / max(channel) * 8 * HISTOGRAM_LINES) for count in channel]
        for line in reversed(range(HISTOGRAM_LINES)):
            bars = "".join(BLOCKS[min(max(height - 8 * line, 0), 8)] for height in heights)
            lines.append(Content.assemble(f"{name if line == 0 else '':<6}", (bars, colour)))
    lines.append(Content.styled(f"{'':<6}0{'255':>31}", "$text-muted"))
    lines.append(Content.styled(f"mean {_triple(facts.mean)}  std {_triple(facts.std)}", "$text-muted"))
    return Content("\n").join(lines)


def _triple(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)
