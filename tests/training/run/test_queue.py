"""The queue: hosts train one after the other, in the order in which they came."""

import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from cifartui.errors import CifartuiError
from cifartui.home import queue_folder, runs_folder
from cifartui.training.run import queue
from cifartui.training.run.controls import ControlInbox, Pause, Stop, send
from cifartui.training.run.events import (
    AnyEvent,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    Queued,
    RunFinished,
    StateChanged,
)
from cifartui.training.run.folder import Run
from cifartui.training.run.queue import queue_of_home, wait_for_turn

HOST = """
import os, sys, time
from cifartui.home import queue_folder
from cifartui.training.run import queue
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.folder import Run
from pathlib import Path

folder, place, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
queue.POLL_SECONDS = float(sys.argv[4])
run = Run(folder)
for event in queue.wait_for_turn(run, ControlInbox(run.controls_file), now=False):
    print(event, flush=True)
os.close(os.open(place / "device", os.O_CREAT | os.O_EXCL))  # two at once, and the second fails here
ticket = next(path.name for path in queue_folder().iterdir() if path.name.endswith(run.id))
with (place / "order").open("a") as order:
    order.write(ticket + "\\n")
print("training", flush=True)
time.sleep(seconds)
(place / "device").unlink()
"""


def run_named(name: str) -> Run:
    """A run with nothing but a folder."""
    folder = runs_folder() / name
    folder.mkdir()
    return Run(folder)


def start_host(run: Run, place: Path, seconds: float, poll: float = queue.POLL_SECONDS) -> "subprocess.Popen[str]":
    """A process that waits for its turn and then has the device for so long."""
    return subprocess.Popen(
        [sys.executable, "-c", HOST, str(run.folder), str(place), str(seconds), str(poll)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def waiting(run: Run, *, now: bool = False) -> Generator[AnyEvent, None, bool]:
    """A host's waiting in this process, which keeps its place until the tests end."""
    return wait_for_turn(run, ControlInbox(run.controls_file), now=now)


def has_turn(turn: Generator[AnyEvent, None, bool]) -> bool:
    """Go on waiting; whether it ends, with its turn."""
    try:
        event = next(turn)
    except StopIteration as ended:
        return bool(ended.value)
    raise AssertionError(event)


def test_twenty_hosts_at_once_train_in_the_order_of_their_tickets(home: Path, tmp_path: Path) -> None:
    """Never two at a time, none left out."""
    hosts = [start_host(run_named(f"run-{number}"), tmp_path, 0.01, poll=0.01) for number in range(20)]
    for host in hosts:
        _, errors = host.communicate(timeout=60)
        assert (host.returncode, errors) == (0, "")
    order = (tmp_path / "order").read_text().splitlines()
    assert len(order) == 20
    assert order == sorted(order)
    assert queue_of_home() == ()


def test_a_killed_host_lets_the_next_go_at_once(home: Path, tmp_path: Path) -> None:
    """SIGKILL of the first is seen by the second within a second; a killed one between is passed over."""
    runs = [run_named(name) for name in ("first", "second", "third")]
    hosts = []
    for run in runs:
        hosts.append(start_host(run, tmp_path, 60))
        deadline = time.monotonic() + 20
        while run.id not in queue_of_home():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    first, second, third = hosts
    try:
        assert queue_of_home() == ("first", "second", "third")
        second.kill()
        second.wait()
        assert queue_of_home() == ("first", "third")
        (tmp_path / "device").unlink()
        first.kill()
        first.wait()
        killed = time.monotonic()
        told: list[str] = []
        while not told or told[-1] != "training":
            told.append(str(third.stdout and third.stdout.readline().strip()))
            assert told[-1], third.communicate()
        assert time.monotonic() - killed < 1
        assert "behind=('first', 'second')" in told[1]
        assert queue_of_home() == ("third",)
        assert [path.name for path in sorted(queue_folder().iterdir())] == ["00000003-third", "lock"]
    finally:
        for host in hosts:
            host.kill()
            host.communicate()


def test_nobody_ahead_is_no_word_and_others_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first tells nothing; who waits says behind whom, again only when that changes."""
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.001)
    first, second, third = (run_named(name) for name in ("first", "second", "third"))
    assert has_turn(waiting(first))
    turn = waiting(second)
    assert next(turn) == StateChanged(state="queued")
    assert next(turn) == Queued(behind=("first",))
    last = waiting(third)
    assert next(last) == StateChanged(state="queued")
    assert next(last) == Queued(behind=("first", "second"))
    send(second.controls_file, Stop())
    assert list(turn)[-1] == RunFinished(reason="stopped", message="taken out of the queue, before its turn came")


def test_started_at_once_it_waits_for_nobody_and_later_ones_wait_for_it(home: Path) -> None:
    """`--now` has a place like all others."""
    first, hasty, third = (run_named(name) for name in ("first", "hasty", "third"))
    assert has_turn(waiting(first))
    assert has_turn(waiting(hasty, now=True))
    turn = waiting(third)
    assert [next(turn), next(turn)] == [StateChanged(state="queued"), Queued(behind=("first", "hasty"))]


def test_only_stop_reaches_a_waiting_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is refused with a sentence."""
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.001)
    first, second = run_named("first"), run_named("second")
    assert has_turn(waiting(first))
    turn = waiting(second)
    next(turn), next(turn)
    pause, stop = send(second.controls_file, Pause()), send(second.controls_file, Stop(save=False))
    refused, taken, done, finished = turn
    assert isinstance(refused, ControlRefused)
    assert (refused.control, refused.command) == (pause.id, "pause")
    assert "waits in the queue and can only be stopped" in refused.reason
    assert isinstance(taken, ControlAcknowledged)
    assert isinstance(done, ControlDone)
    assert taken.control == done.control == stop.id
    assert isinstance(finished, RunFinished)
    assert finished.reason == "stopped"


def test_a_folder_that_goes_away_ends_the_waiting(home: Path) -> None:
    """There is nothing left to train for."""
    first, second = run_named("first"), run_named("second")
    assert has_turn(waiting(first))
    turn = waiting(second)
    next(turn), next(turn)
    second.folder.rmdir()
    finished = next(turn)
    assert isinstance(finished, RunFinished)
    assert finished.reason == "failed"
    assert "moved or removed while the run waited" in finished.message


def test_what_else_lies_in_the_folder_disturbs_nobody(home: Path) -> None:
    """Files of other names, tickets without a holder, a folder named like one."""
    for name in ("notes.txt", "00000007", "00000900-old", "x-1"):
        (queue_folder() / name).touch()
    (queue_folder() / "00000901-odd").mkdir()
    assert queue_of_home() == ()
    assert has_turn(waiting(run_named("first")))
    assert queue_of_home() == ("first",)
    assert not (queue_folder() / "00000900-old").exists()


def test_a_queue_that_cannot_be_used_is_a_sentence(home: Path) -> None:
    """Waiting for a queue that is no folder would be for ever."""
    home.mkdir()
    (home / "queue").write_text("")
    run = run_named("first")
    turn: Generator[Any, None, bool] = waiting(run)
    with pytest.raises(CifartuiError, match=r"queue: .*check the path"):
        next(turn)
