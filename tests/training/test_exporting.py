"""A run's points taken elsewhere, read back by those who open them there."""

import csv
import os
import threading
from pathlib import Path

import numpy as np
import pandas
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.progress import finish
from cifartui.training.exporting.event_file import event_file, write_event_file
from cifartui.training.exporting.table import HEADER, write_table
from cifartui.training.run.events import CheckpointSaved, StepsReported, Validated
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.journal import Journal, JournalReader
from tests.training.running import plan, run_started

REPORTS = 2_500
"""More than the curves keep."""


@pytest.fixture
def run(sketches: DatasetFacts) -> Run:
    """A run with so many reports, one loss that is no number, and held-out images judged four times."""
    run = create_run(plan(sketches.name))
    journal = Journal(run.journal_file)
    journal.append(run_started(REPORTS // 2))
    for number in range(1, REPORTS + 1):
        loss = None if number == 7 else 2.3 / number
        journal.append(
            StepsReported(
                step=number,
                epoch=1 + number // 1_250,
                loss=loss,
                running_loss=None if number == 9 else loss,
                accuracy=number / (REPORTS + 1),
                learning_rate=0.1 / number,
                images_per_second=1_000.0 + number / 3,
                device_memory=number * 1_000_003 if number % 2 else None,
                finite=loss is not None,
            )
        )
        if number % 625 == 0:
            journal.append(
                Validated(step=number, epoch=1, images=300, correct=number // 10, loss=1 / number, raw_correct=9)
            )
            journal.append(CheckpointSaved(step=number, epoch=1, file="f", bytes=1))
    return run


def points_of(run: Run) -> list[StepsReported | Validated]:
    """As the journal tells them."""
    return [
        event for event in JournalReader(run.journal_file).read_new() if isinstance(event, StepsReported | Validated)
    ]


def test_pandas_opens_the_table_and_finds_every_point(run: Run, tmp_path: Path) -> None:
    """Row by row, to the last digit; what one kind of point does not tell is empty."""
    file = tmp_path / "points.csv"
    assert finish(write_table(run, file)) == REPORTS + 4
    table = pandas.read_csv(file)
    assert tuple(table.columns) == HEADER
    assert {"time [Unix s]", "loss [nats]", "throughput [images/s]", "device memory [bytes]"} < set(HEADER)
    for (_, row), point in zip(table.iterrows(), points_of(run), strict=True):
        assert (row["step"], row["epoch"], row["time [Unix s]"]) == (point.step, point.epoch, point.time)
        kind, other = ("", "held-out ") if isinstance(point, StepsReported) else ("held-out ", "")
        loss = row[f"{kind}loss [nats]"]
        assert np.isnan(loss) if point.loss is None else loss == point.loss
        assert row[f"{kind}accuracy [0-1]"] == point.accuracy
        assert np.isnan(row[f"{other}accuracy [0-1]"])
        without_averaging = row["held-out accuracy without averaging [0-1]"]
        assert np.isnan(without_averaging) if isinstance(point, StepsReported) else without_averaging == 0.03
        if isinstance(point, StepsReported):
            assert row["learning rate"] == point.learning_rate
            assert row["throughput [images/s]"] == point.images_per_second
            memory = row["device memory [bytes]"]
            assert np.isnan(memory) if point.device_memory is None else memory == point.device_memory


def test_tensorboard_reads_back_every_point(run: Run, tmp_path: Path) -> None:
    """With step and wall time, in 32 bits; exported twice, they are there once."""
    for _ in range(2):
        assert finish(write_event_file(run, tmp_path / "logs" / "mine")) == REPORTS + 4
    assert list((tmp_path / "logs" / "mine").iterdir()) == [event_file(run, tmp_path / "logs" / "mine")]
    board = EventAccumulator(str(tmp_path / "logs" / "mine"), size_guidance={"scalars": 0}).Reload()
    reports = [point for point in points_of(run) if isinstance(point, StepsReported)]
    judged = [point for point in points_of(run) if isinstance(point, Validated)]
    told = {
        "loss/train": [(point, point.loss) for point in reports],
        "accuracy/train": [(point, point.accuracy) for point in reports],
        "learning_rate": [(point, point.learning_rate) for point in reports],
        "images_per_second": [(point, point.images_per_second) for point in reports],
        "device_memory_bytes": [(point, point.device_memory) for point in reports if point.device_memory is not None],
        "loss/held_out": [(point, point.loss) for point in judged],
        "accuracy/held_out": [(point, point.accuracy) for point in judged],
        "accuracy/held_out_without_averaging": [(point, 0.03) for point in judged],
    }
    assert set(board.Tags()["scalars"]) == set(told)
    for tag, points in told.items():
        scalars = board.Scalars(tag)
        assert [(scalar.step, scalar.wall_time) for scalar in scalars] == [(at.step, at.time) for at, _ in points]
        values = np.array([np.nan if value is None else value for _, value in points], np.float32)
        np.testing.assert_array_equal(np.array([scalar.value for scalar in scalars], np.float32), values)


def test_table_goes_through_a_pipe(run: Run, tmp_path: Path) -> None:
    """Which stays a pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[list[str]] = []
    reader = threading.Thread(target=lambda: read.extend(csv.reader(pipe.read_text().splitlines())))
    reader.start()
    finish(write_table(run, pipe))
    reader.join(10)
    assert len(read) == 1 + REPORTS + 4
    assert pipe.is_fifo()


def test_export_that_fails_leaves_what_was_there(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for a table, a file for TensorBoard, a full disk: one sentence, and no half file."""
    monkeypatch.chdir(tmp_path)
    former = tmp_path / "former"
    former.write_text("mine")
    assert run_command(["runs", "export", run.id, "--csv", "-o", "no/folder.csv"]) == 2
    assert "name a file in a folder that exists" in capsys.readouterr().err
    assert run_command(["runs", "export", run.id, "--tensorboard", "-o", "former"]) == 2
    assert "name a folder" in capsys.readouterr().err
    assert run_command(["runs", "export", run.id, "--csv", "-o", "/dev/full"]) == 1
    assert "the disk is full" in capsys.readouterr().err
    work = write_table(run, former)
    next(work)
    work.close()
    assert former.read_text() == "mine"
    assert run_command(["runs", "export", run.id, "--tensorboard"]) == 0
    assert "look at it with: tensorboard --logdir tensorboard\n" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("home")) == [
        "former",
        "tensorboard",
    ]
