"""The result of an evaluation, and the statistics in it, without torch."""

import math
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Of images; a file may say anything."""


class ClassResult(msgspec.Struct, frozen=True):
    """The images of one class."""

    name: str
    correct: int
    images: int
    accuracy: float
    """Share of right answers, 0-1."""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A network's answers on test images it never saw in training."""

    checkpoint: str
    """`RUN@STEP`, or the path of a file."""
    dataset: str
    images: int
    correct: int
    accuracy: float
    """Share of right answers, 0-1."""
    interval95: tuple[float, float]
    """Wilson score interval of the accuracy."""
    per_class: tuple[ClassResult, ...]
    confusion: tuple[tuple[Count, ...], ...]
    """Counts `[classes][classes]`: rows true, columns predicted."""
    seconds: float
    averaged: bool = False
    """Whether the weights were the average over the steps that the run kept."""


def weights_file_name(dataset: str) -> str:
    """What weights trained on a data set are exported as: the tutorial's `cifar_net.pth` for CIFAR-10, by its name."""
    return "cifar_net.pth" if re.match(r"cifar10(?!\d)", dataset) else f"{dataset}_net.pth"


def from_confusion(
    confusion: Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    checkpoint: str,
    averaged: bool = False,
    dataset: str,
    seconds: float,
) -> Evaluation:
    """Derive all results from the confusion matrix (rows true, columns predicted)."""
    per_class = []
    for index, (name, row) in enumerate(zip(classes, confusion, strict=True)):
        images = sum(row)
        per_class.append(ClassResult(name, row[index], images, row[index] / images if images else 0.0))
    correct, images = sum(result.correct for result in per_class), sum(result.images for result in per_class)
    return Evaluation(
        checkpoint=checkpoint,
        averaged=averaged,
        dataset=dataset,
        images=images,
        correct=correct,
        accuracy=correct / images,
        interval95=wilson_interval(correct, images),
        per_class=tuple(per_class),
        confusion=tuple(tuple(row) for row in confusion),
        seconds=seconds,
    )


def wilson_interval(correct: int, images: int, z: float = 1.959964) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927), 95 % at the default `z`."""
    share = correct / images
    centre = (share + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z / (1 + z**2 / images) * math.sqrt(share * (1 - share) / images + z**2 / (4 * images**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def most_confused(evaluation: Evaluation, index: int) -> tuple[int, float] | None:
    """The wrong class that images of class `index` are most often taken for, and their share; None without mistakes."""
    row = evaluation.confusion[index]
    others = ((other, count) for other, count in enumerate(row) if other != index)
    wrong, count = max(others, key=lambda pair: pair[1], default=(index, 0))
    return (wrong, count / sum(row)) if count else None


def precision(evaluation: Evaluation, index: int) -> float | None:
    """Of the images taken for class `index`, the share that are of it, 0-1; None where none was taken for it."""
    answered = sum(row[index] for row in evaluation.confusion)
    return evaluation.confusion[index][index] / answered if answered else None
