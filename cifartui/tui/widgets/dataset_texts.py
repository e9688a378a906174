"""What the dataset screen says of data sets: a line each, counts, histograms, and work under way."""

import time

from textual.content import Content

from cifartui.dataset.store import DatasetFacts, load_facts
from cifartui.errors import DataError
from cifartui.progress import Progress
from cifartui.text import clock, printable

BAR_CELLS = 16
BLOCKS = " ▁▂▃▄▅▆▇█"
HISTOGRAM_LINES = 3
CLASS_LINES = 10
CHANNELS = {"red": "#e05c5c", "green": "#5cc05c", "blue": "#5c8cf0"}


def job_line(key: str, step: Progress | None) -> Content:
    """Work under way in two lines: what, and how far."""
    if step is None:
        return Content(f"… {key}")
    left = ""
    if step.per_second and step.total:
        left = f"\n    {clock((step.total - step.done) / step.per_second)} left"
    return Content(printable(f"… {step.activity}")).append(f"\n    {step.amount}{left}")


def dataset_line(name: str, chosen: bool) -> Content:
    try:
        facts = load_facts(name)
    except DataError:
        return Content(f"✗ {name} · damaged")
    mark = "●" if chosen else " "
    drawn = " drawn" * facts.drawn
    return Content.assemble(f"{mark} {name:<13.13} ", (f"{facts.train:>6,} + {facts.test:>6,}{drawn}", "$text-muted"))


def facts_text(facts: DatasetFacts) -> Content:
    """Counts per class as bars, and the channels' statistics."""
    most = max(facts.class_counts.train)
    lines = []
    counts = list(zip(facts.classes, facts.class_counts.train, facts.class_counts.test, strict=True))
    shown = counts if len(counts) <= CLASS_LINES else counts[: CLASS_LINES - 1]
    for name, train, test in shown:
        bar = "█" * max(1, round(BAR_CELLS * train / most))
        lines.append(
            Content.assemble(f"{name:<11.11}", (f"{bar:<{BAR_CELLS}}", "$primary"), f"{train:>6,} +{test:>5,}")
        )
    if len(shown) < len(counts):
        lines.append(Content.styled(f"and {len(counts) - len(shown)} more classes", "$text-muted"))
    lines.append(Content.styled(f"mean {_triple(facts.mean)}  std {_triple(facts.std)}", "$text-muted"))
    checked = time.strftime(" ✓ %Y-%m-%d", time.localtime(facts.verified)) if facts.verified else ""
    lines.append(Content.styled(printable(facts.source) + checked, "$text-muted"))
    return Content("\n").join(lines)


def histogram_text(facts: DatasetFacts) -> Content:
    """How often each value comes in each channel of the training images, from 0 on the left to 255."""
    if not facts.histogram:
        return Content("This data set was stored without histograms; remove it and import it again to see them.")
    lines = []
    for (name, colour), counts in zip(CHANNELS.items(), facts.histogram, strict=True):
        heights = [round(count / max(counts) * 8 * HISTOGRAM_LINES) for count in counts]
        for line in reversed(range(HISTOGRAM_LINES)):
            bars = "".join(BLOCKS[min(max(height - 8 * line, 0), 8)] for height in heights)
            lines.append(Content.assemble(f"{name if line == 0 else '':<6}", (bars, colour)))
    lines.append(Content.styled(f"{'':<6}0{'255':>31}", "$text-muted"))
    lines.append(Content.styled(f"mean {_triple(facts.mean)}  std {_triple(facts.std)}", "$text-muted"))
    return Content("\n").join(lines)


def _triple(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)
