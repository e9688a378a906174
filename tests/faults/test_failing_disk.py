"""Runs whose disk turns read-only or fails under their checkpoints, run by `make faults`."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError
from cifartui.training.launch import start_host
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.controls import ChangeRate, Pause, SaveCheckpoint
from cifartui.training.run.events import AnyEvent, RunFinished, StateChanged, Warned
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.follow import command_and_wait
from cifartui.training.run.journal import JournalReader
from cifartui.training.snapshot import read_state
from cifartui.training.start import Start
from tests.training.running import plan, wait_for

pytestmark = pytest.mark.faults

SAID_SECONDS = 1.0
Fail = Callable[..., None]


@pytest.fixture
def run(sketches: DatasetFacts) -> Iterator[Run]:
    """A run that a process begins to carry in the test, and that saves a checkpoint after every epoch of 50 steps."""
    run = create_run(plan(sketches.name, "epochs=100000", "log_every=1000"))
    yield run
    subprocess.run(["umount", "--lazy", str(run.checkpoints_folder)], check=False, capture_output=True)


@pytest.fixture
def fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Let a call fail in the processes started by the test, for files whose names have a part; without both, none."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler here")
    library, source = tmp_path / "failing_calls.so", Path(__file__).with_name("failing_calls.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    order = tmp_path / "order"
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAILING_CALLS", str(order))

    def fail(call: str = "none", names: str = "none") -> None:
        new = order.with_suffix(".new")
        new.write_text(f"{call} {errno.EIO} {names}\n")
        new.replace(order)

    return fail


def test_disk_that_turns_read_only(run: Run) -> None:
    """The folder of checkpoints is a file system of its own, mounted anew for reading only while the run goes on."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(run.checkpoints_folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")

    def remount(how: str) -> None:
        again = ["mount", "-o", f"remount,{how}", str(run.checkpoints_folder)]
        while subprocess.run(again, check=False, capture_output=True).returncode != 0:
            pass  # a checkpoint is being written

    host = start_host(run, Start())
    go_on_through(run, lambda: remount("ro"), lambda: remount("rw"), "the file system is read-only; ")
    host.terminate()
    assert host.wait(30) == 0
    assert_whole(run)


def test_disk_that_fails(run: Run, fail: Fail) -> None:
    """One call after the other answers with an input/output error, for all files of a checkpoint or only its facts."""
    host = start_host(run, Start())
    for call, names in (("write", "step-"), ("fsync", "checkpoints"), ("rename", "step-"), ("fsync", ".json")):
        go_on_through(
            run, lambda order=(call, names): fail(*order), fail, "the disk answers with an input/output error"
        )
    fail("write", "step-")
    reader = JournalReader(run.journal_file)
    host.terminate()
    warned_of(run, reader, "the last checkpoint (step")
    fail()
    assert host.wait(30) == 0
    assert_whole(run)


def test_another_checkpoint_of_the_same_step_fails(run: Run, fail: Fail) -> None:
    """A rate turned where a checkpoint was saved is refused with its checkpoint; the former one stays."""
    host = start_host(run, Start())
    wait_for(run, lambda history, state: history.latest is not None)
    command_and_wait(run, Pause())
    command_and_wait(run, SaveCheckpoint())
    former = list_checkpoints(run)[-1]
    for call, names in (("write", ".safetensors"), ("write", ".json"), ("fsync", ".safetensors"), ("fsync", ".json")):
        fail(call, names)
        with pytest.raises(CifartuiError, match="The checkpoint could not be saved: the disk answers with an"):
            command_and_wait(run, ChangeRate(to="up"))
        assert list_checkpoints(run)[-1] == former
        read_state(run, former)
    fail()
    command_and_wait(run, ChangeRate(to="up"))
    assert list_checkpoints(run)[-1].step == former.step
    assert list_checkpoints(run)[-1].sha256 != former.sha256
    host.terminate()
    assert host.wait(30) == 0
    assert_whole(run)


def go_on_through(run: Run, break_disk: Callable[[], None], mend_disk: Callable[[], None], reason: str) -> None:
    """Break the disk under a run and mend it: training goes on, and no checkpoint that was saved is lost."""
    wait_for(run, lambda history, state: state == "running" and len(history.checkpoints) > 1)
    reader = JournalReader(run.journal_file)
    reader.read_new()
    break_disk()
    events = warned_of(run, reader, reason)
    said = next(place for place, event in enumerate(events) if isinstance(event, Warned))
    begun = next(event for event in reversed(events[:said]) if isinstance(event, StateChanged))
    assert begun.state == "saving"
    assert events[said].time - begun.time < SAID_SECONDS

    good = list_checkpoints(run)[-1]
    read_state(run, good)
    wait_for(run, lambda history, state: history.latest is not None and history.latest.step > good.step + 200)
    assert list_checkpoints(run)[-1] == good
    read_state(run, good)

    mend_disk()
    wait_for(run, lambda history, state: list_checkpoints(run)[-1].step > good.step + 200)
    read_state(run, list_checkpoints(run)[-1])


def warned_of(run: Run, reader: JournalReader, what: str) -> list[AnyEvent]:
    """Read on until the run has warned of something; return the events up to then."""
    events: list[AnyEvent] = []

    def is_warned() -> bool:
        events.extend(reader.read_new())
        return any(isinstance(event, Warned) and what in event.message for event in events)

    wait_for(run, lambda history, state: is_warned())
    return events


def assert_whole(run: Run) -> None:
    """The journal has no gap, the stop has saved its checkpoint, and nothing half-written is left."""
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))
    assert isinstance(events[-1], RunFinished)
    assert events[-1].message.endswith(", as asked")
    checkpoints = list_checkpoints(run)
    read_state(run, checkpoints[-1])
    names = {f"{facts.stem}{suffix}" for facts in checkpoints for suffix in (".json", ".safetensors")}
    assert set(os.listdir(run.checkpoints_folder)) == names
