"""Runs on a file system of a few megabytes that fills up, run by `make faults`."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.training.launch import start_run
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.events import StepsReported, Warned
from cifartui.training.run.follow import read_history
from cifartui.training.run.journal import JournalReader
from cifartui.training.run.states import stalled_seconds
from tests.training.running import plan, wait_for

pytestmark = pytest.mark.faults

MEGABYTES = 6


@pytest.fixture
def small_disk(home: Path, tmp_path: Path) -> Iterator[Path]:
    """The runs' folder on a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        home.mkdir(exist_ok=True)
        (disk / "runs").mkdir(mode=0o700)
        (home / "runs").symlink_to(disk / "runs")
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def fill(disk: Path, leave: int = 0) -> None:
    """Take all room but some bytes."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        with pytest.raises(OSError, match="No space left"):  # noqa: PT012  # until it is full
            for _ in range(MEGABYTES * 256 + 1):
                filler.write(bytes(4096))
        os.ftruncate(filler.fileno(), max(0, os.fstat(filler.fileno()).st_size - leave))


def test_run_goes_on_while_the_disk_is_full_and_loses_nothing(small_disk: Path, sketches: DatasetFacts) -> None:
    """Journal, epochs' checkpoints and commands fail for seconds; afterwards there is no gap, and all is said."""
    run, host = start_run(plan(sketches.name, "epochs=100000", "log_every=1000"))
    before = wait_for(run, lambda history, state: state == "running" and history.latest is not None)
    fill(small_disk)
    silent = wait_for(run, lambda history, state: stalled_seconds(history, state) is not None)
    assert run_command(["runs", "pause", run.id]) == 1
    (small_disk / "filler").unlink()
    wait_for(run, lambda history, state: stalled_seconds(history, state) is None)
    time.sleep(1)
    host.terminate()
    assert host.wait(30) == 0
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))
    steps = [event.step for event in events if isinstance(event, StepsReported)]
    assert silent.latest is not None
    assert before.latest is not None
    assert len([step for step in steps if step > silent.latest.step]) > 20
    warnings = " ".join(event.message for event in events if isinstance(event, Warned))
    assert "the journal could not be written for " in warnings
    assert "could not be saved: the disk is full; free some space" in warnings
    history, state = read_history(run)
    assert state == "stopped"
    assert history.latest is not None
    assert list_checkpoints(run)[-1].step == history.latest.step


@pytest.mark.parametrize("patience", [True, False])
def test_stop_without_room_waits_or_is_told_to_end(
    small_disk: Path, sketches: DatasetFacts, capfd: pytest.CaptureFixture[str], patience: bool
) -> None:
    """Room for the journal, none for a checkpoint: it is saved when there is room; a second stop ends without."""
    run, host = start_run(plan(sketches.name, "epochs=100000", "log_every=1000"))
    wait_for(run, lambda history, state: state == "running" and history.latest is not None)
    assert run_command(["runs", "pause", run.id]) == 0
    held = len(list_checkpoints(run))
    fill(small_disk, leave=100_000)
    assert run_command(["runs", "stop", run.id]) == 1
    assert "could not be saved: the disk is full; free some space; it is saved as soon as" in capfd.readouterr().err
    assert read_history(run)[1] == "saving"
    if patience:
        (small_disk / "filler").unlink()
    else:
        assert run_command(["runs", "stop", run.id]) == 0
    assert host.wait(30) == 0
    history, state = read_history(run)
    assert state == "stopped"
    assert history.finished is not None
    assert ("without a checkpoint: the disk is full" in history.finished.message) is not patience
    assert len(list_checkpoints(run)) == held + patience
