"""What the dataset screen says of data sets: a line each, counts, what to do next, work under way."""

import time

from textual.content import Content

from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.store import DatasetFacts, Split, load_facts
from cifartui.errors import DataError
from cifartui.progress import Progress
from cifartui.text import bar, clock, column, printable, shortened

NAME_CELLS = 14
LIST_CLASS_CELLS = 26
SPLIT_WORDS: dict[Split, str] = {"train": "training", "validation": "held-out", "test": "test"}
DATA_SET = "A data set is labelled pictures: a network learns from the training images and is tested on the others."


def job_line(key: str, step: Progress | None) -> Content:
    """Work under way in two lines: what, and how far."""
    if step is None:
        return Content(printable(f"… {key}"))
    left = ""
    if step.per_second and step.total:
        left = f"\n    {clock((step.total - step.done) / step.per_second)} left"
    return Content(printable(f"… {step.activity}")).append(f"\n    {step.amount}{left}")


def dataset_line(name: str, chosen: bool, *, tall: bool = False) -> Content:
    """Its mark if training will use it, its name, and its counts; `tall` in two lines, with what it is."""
    try:
        facts = load_facts(name)
    except DataError:
        return Content(f"✗ {shortened(name, 2 * NAME_CELLS)} · damaged")
    mark = "●" if chosen else "○" if tall else " "
    # no colour of its own: it is highlighted
    if not tall:
        return Content(f"{mark} {column(name, NAME_CELLS)}{counts(facts)}{' drawn' * facts.drawn}")
    what = "drawn here" if facts.drawn else "verified" if facts.verified else "imported"
    return Content(f"{mark} {shortened(name, 2 * NAME_CELLS)}\n  {counts(facts)} · {what}")


def published_line(archive: Archive, *, tall: bool) -> Content:
    """A data set that can be fetched."""
    what = f"f fetches {archive.bytes / 1e6:,.0f} MB"
    if not tall:
        return Content(f"↓ {column(archive.dataset, NAME_CELLS)}{what}")
    return Content(f"↓ {archive.dataset}\n  not here · {what}")


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


def class_choices(facts: DatasetFacts, width: int) -> list[tuple[str, Content]]:
    """All classes and then each, to choose from: the label as text, and a line with counts."""
    lines = class_lines(facts, range(len(facts.classes)), LIST_CLASS_CELLS, width)
    each = [(str(label), Content(line.plain)) for label, line in enumerate(lines)]  # to be read when highlighted, too
    return [("", Content(f"all classes: {counts(facts)} images")), *each]


def next_text(facts: DatasetFacts | None, chosen: str | None, *, working: bool) -> Content:
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


def source_text(facts: DatasetFacts) -> str:
    """How large its pictures are, where they come from, and when they were last found to be undamaged."""
    height, wide = facts.image_size
    sides = f"{wide}×{height} pixels" if wide == height else f"{wide} wide, {height} high"
    checked = time.strftime(" ✓ %Y-%m-%d", time.localtime(facts.verified)) if facts.verified else ""
    return printable(f"{sides}, {facts.source}{checked}")
