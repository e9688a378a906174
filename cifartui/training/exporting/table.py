"""A run's points as a table: a CSV file whose header says the units."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from cifartui.files import check_target, durably
from cifartui.progress import LongWork, Progress
from cifartui.training.run.events import StepsReported
from cifartui.training.run.folder import Run
from cifartui.training.run.points import JournalPoint, StandingPoints

HEADER = (
    "step",
    "epoch",
    "time [Unix s]",
    "loss [nats]",
    "running loss [nats]",
    "accuracy [0-1]",
    "learning rate",
    "throughput [images/s]",
    "device memory [bytes]",
    "held-out loss [nats]",
    "held-out accuracy [0-1]",
    "held-out images",
    "held-out accuracy without averaging [0-1]",
)
REPORT_POINTS = 10_000
"""Between two reports of progress."""


def write_table(run: Run, target: Path) -> LongWork[int]:
    """Write a row for each point of a run's journal, in its order, and return how many.

    A row tells of training or of the held-out images; the cells of the other kind are empty, a loss that was not
    finite is `nan`. A device or pipe is written through.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        DataError: the journal cannot be read.
        OSError: the table cannot be written; nothing is left behind.
    """
    check_target(target)
    yield Progress("reading the journal", 0, unit="points")
    points, written = StandingPoints(run), 0
    with durably(target.absolute()) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER)
        for written, row in enumerate(map(_row, points), 1):
            rows.writerow(row)
            if written % REPORT_POINTS == 0:
                yield Progress("writing the table", written, unit="points")
    return written


def _row(point: JournalPoint) -> Iterator[object]:
    yield from (point.step, point.epoch, point.time)
    if isinstance(point, StepsReported):
        yield math.nan if point.loss is None else point.loss
        yield from (point.running_loss, point.accuracy, point.learning_rate)
        yield from (point.images_per_second, point.device_memory, *(None,) * 4)
    else:
        yield from (None,) * 6
        yield math.nan if point.loss is None else point.loss
        yield from (point.accuracy, point.images, point.raw_accuracy)
