"""Locks are held by one process and die with it, whatever children it leaves behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cifartui import locks

HOLDER = """
import os, sys, time
from cifartui import locks
assert locks.hold(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
if os.fork() == 0:
    print(os.getpid(), flush=True)  # by now it has closed what its parent holds
time.sleep(60)
"""


def test_a_killed_process_holds_nothing_though_its_child_lives(tmp_path: Path) -> None:
    """As a run with DataLoader workers is: their parent's lock is not theirs."""
    file = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        assert locks.is_held(file)
        holder.kill()
        holder.wait()
        os.kill(child, 0)
        assert not locks.is_held(file)
    finally:
        os.kill(child, signal.SIGKILL)
        holder.stdout.close()


def test_a_lock_has_one_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second try fails after a while, and succeeds once the first let go."""
    monkeypatch.setattr(locks, "LOOK_SECONDS", 0.05)
    file = tmp_path / "lock"
    assert not locks.is_held(file)
    first, second = (os.open(file, os.O_RDWR | os.O_CREAT) for _ in range(2))
    assert locks.hold(first)
    assert not locks.hold(second)
    locks.let_go(first)
    assert locks.hold(second)
    assert locks.is_held(file)
    locks.let_go(second)
    assert not locks.is_held(file)
