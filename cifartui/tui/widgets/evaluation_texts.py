"""What the evaluation screen says in words: the accuracy, what a checkpoint is, what is taken for what."""

from typing import NamedTuple

from textual.content import Content

from cifartui.evaluation.results import Evaluation
from cifartui.evaluation.store import JudgedCheckpoint
from cifartui.lessons.topic import Topic, Value
from cifartui.text import printable, size
from cifartui.tui.widgets.class_names import marked_name, names_of


def overall(evaluation: Evaluation) -> Content:
    """Accuracy, counts and interval, and which weights answered if there are two."""
    low, high = evaluation.interval95
    averaged = ("\naverage of the weights", "$text-muted") if evaluation.averaged else ""
    return Content.assemble(
        (f"{evaluation.accuracy:.1%}", "bold $accent"),
        f"   {evaluation.correct:,} of {evaluation.images:,}   (95 %: {low:.1%} – {high:.1%})",
        averaged,
    )


def overall_topic(evaluation: Evaluation) -> Topic:
    """How sure the accuracy is."""
    low, high = evaluation.interval95
    values: dict[str, Value] = {
        "accuracy": f"{evaluation.accuracy:.1%}",
        "tested": evaluation.images,
        "low": f"{low:.1%}",
        "high": f"{high:.1%}",
    }
    return Topic("evaluation.overall", values)


def checkpoint_text(checkpoint: JudgedCheckpoint) -> str:
    """What a checkpoint is, in a line: `end of epoch 3 · 61.0% held out · 503 kB`."""
    facts = checkpoint.facts
    causes = {"epoch": f"end of epoch {facts.epoch:,}", "stopped": "the run was stopped"}
    parts = [causes.get(facts.cause, f"{printable(facts.cause, 20)}, in epoch {facts.epoch:,}")]
    if facts.validation_accuracy is not None:
        parts.append(f"{facts.validation_accuracy:.1%} held out")
    return " · ".join([*parts, size(facts.bytes)])


class Mistaken(NamedTuple):
    """Images of one class that were taken for another."""

    true: int
    answered: int
    images: int


def most_mistaken(evaluation: Evaluation, count: int) -> list[Mistaken]:
    """The pairs of classes with the largest share of one taken for the other, the largest first."""
    mistakes = [
        Mistaken(true, answered, images)
        for true, row in enumerate(evaluation.confusion)
        for answered, images in enumerate(row)
        if images and answered != true
    ]
    of_class = [result.images for result in evaluation.per_class]
    return sorted(mistakes, key=lambda pair: pair.images / of_class[pair.true], reverse=True)[:count]


def mistaken_text(evaluation: Evaluation, count: int, width: int) -> Content:
    """The most frequent mistakes, a line each: `■ dog  taken for ■ cat  152`."""
    names = names_of(evaluation)
    pairs = most_mistaken(evaluation, count)
    if not pairs:
        return Content.styled("no mistakes", "$text-muted")
    digits = max(len(f"{pair.images:,}") for pair in pairs)
    longest = max(len(names[index]) for pair in pairs for index in (pair.true, pair.answered))
    each = max(1, min(longest, (width - digits - len("■  for ■  ")) // 2))
    return Content("\n").join(
        Content.assemble(
            marked_name(evaluation, pair.true, names[pair.true], each),
            (" for ", "$text-muted"),
            marked_name(evaluation, pair.answered, names[pair.answered], each),
            f" {pair.images:>{digits},}",
        )
        for pair in pairs
    )


def cell_text(evaluation: Evaluation, true: int, answered: int) -> str:
    """A cell of the confusion matrix in words."""
    names, images = names_of(evaluation), evaluation.per_class[true].images
    count, back = evaluation.confusion[true][answered], evaluation.confusion[answered][true]
    share = f" ({count / images:.1%})" if images else ""
    if true == answered:
        return f"{names[true]} known as {names[true]}: {count:,} of {images:,}{share}"
    said = f"{names[true]} taken for {names[answered]}: {count:,} of {images:,}{share}"
    return f"{said} · the other way {back:,}"
