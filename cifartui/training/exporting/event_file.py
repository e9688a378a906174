"""A run's points as an event file, which TensorBoard shows."""

import math
from collections.abc import Iterator
from pathlib import Path

from cifartui.errors import UsageError
from cifartui.files import durably, is_written_through
from cifartui.progress import LongWork, Progress
from cifartui.text import printable
from cifartui.training.run.events import StepsReported
from cifartui.training.run.folder import Run
from cifartui.training.run.points import JournalPoint, StandingPoints

FORMAT = "brain.Event:2"
"""What an event file begins with."""
REPORT_POINTS = 10_000
"""Between two reports of progress."""


def event_file(run: Run, target: Path) -> Path:
    """Where a run's event file goes: into the folder `target`, always under the same name, or through a pipe or device.

    Raises:
        UsageError: the target is a file, and TensorBoard reads folders.
    """
    if is_written_through(target):
        return target
    if target.exists() and not target.is_dir():
        raise UsageError(f"{printable(str(target))} is a file, but TensorBoard reads folders; name a folder.")
    return target / f"events.out.tfevents.{run.config().created:.0f}.{run.id}"


def write_event_file(run: Run, target: Path) -> LongWork[int]:
    """Write all points of a run's journal with step and wall time, as scalars; return how many points.

    A file that was exported before is replaced. TensorBoard keeps numbers in 32 bits.

    Raises:
        UsageError: the target is a file.
        DataError: the journal cannot be read.
        OSError: the file cannot be written; nothing is left behind.
    """
    yield Progress("loading the writer", 0, unit="points")
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

    file = event_file(run, target)
    if not is_written_through(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    yield Progress("reading the journal", 0, unit="points")
    points, written = StandingPoints(run), 0
    with durably(file.absolute()) as temporary:
        records = RecordWriter(str(temporary))
        try:
            records.write(Event(wall_time=run.config().created, file_version=FORMAT).SerializeToString())
            for written, point in enumerate(points, 1):
                values = [Summary.Value(tag=tag, simple_value=value) for tag, value in _scalars(point)]
                event = Event(wall_time=point.time, step=point.step, summary=Summary(value=values))
                records.write(event.SerializeToString())
                if written % REPORT_POINTS == 0:
                    yield Progress("writing the event file", written, unit="points")
        finally:
            records.close()
    return written


def _scalars(point: JournalPoint) -> Iterator[tuple[str, float]]:
    images = "train" if isinstance(point, StepsReported) else "held_out"
    yield f"loss/{images}", math.nan if point.loss is None else point.loss
    yield f"accuracy/{images}", point.accuracy
    if isinstance(point, StepsReported):
        yield "learning_rate", point.learning_rate
        yield "images_per_second", point.images_per_second
        if point.device_memory is not None:
            yield "device_memory_bytes", float(point.device_memory)
    elif point.raw_accuracy is not None:
        yield "accuracy/held_out_without_averaging", point.raw_accuracy
