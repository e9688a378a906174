"""Commands in child processes: nobody waits for a full pipe, and nothing is left of one that was cancelled."""

import os
import time
from pathlib import Path

import pytest

from cifartui.errors import CifartuiError
from cifartui.tui.children import ChildCommand

LOUD = """
import sys
progress = '{"type":"Progress","activity":"talking","done":1}'
for _ in range(1 + 1_000_000 // len(progress)):
    print(progress, file=sys.stderr)
for number in range(100):
    print(f"{number}:".ljust(10_000, "x"))
"""
PATIENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
try:
    print(inner.pid, flush=True)
    time.sleep(60)
finally:
    open(sys.argv[1], "w").write("put away")
"""
DEAF = """
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def has_ended(process: int, seconds: float = 10) -> bool:
    """Whether a process is gone, or will be soon."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        if "\nState:\tZ" in Path(f"/proc/{process}/status").read_text():
            return True
        time.sleep(0.02)
    return False


def test_more_than_a_pipe_holds_on_both_streams(program: Path) -> None:
    """A megabyte of progress and a megabyte of answer come whole."""
    program.write_text(LOUD)
    child = ChildCommand()
    reports = list(child.progress())
    assert len(reports) > 20_000
    assert reports[-1].activity == "talking"
    assert child.result() == b"99:".ljust(10_000, b"x")


def test_lines_come_although_nobody_reads_the_progress(program: Path) -> None:
    """All lines of the answer, in order, with the progress left unread."""
    program.write_text(LOUD)
    assert [int(line.partition(b":")[0]) for line in ChildCommand().lines()] == list(range(100))


def test_the_last_complaint_is_the_sentence(program: Path) -> None:
    """A command that fails raises its own sentence; one that says nothing has been cut short."""
    program.write_text("import sys; print('cifartui: The disk is full.', file=sys.stderr); sys.exit(1)")
    with pytest.raises(CifartuiError, match=r"^The disk is full\.$"):
        ChildCommand().result()
    program.write_text("import os; os.abort()")
    with pytest.raises(CifartuiError, match="cut short"):
        list(ChildCommand().lines())


def test_cancelled_with_what_it_started(program: Path, tmp_path: Path) -> None:
    """The command puts away what it was at, and a process that it started is gone with it."""
    program.write_text(PATIENT)
    child = ChildCommand(str(tmp_path / "traces"))
    inner = int(next(child.lines()))
    child.cancel()
    with pytest.raises(CifartuiError):
        child.result()
    assert has_ended(inner)
    assert (tmp_path / "traces").read_text() == "put away"


def test_cancelled_although_it_does_not_listen(program: Path) -> None:
    """A command that passes over the interrupt is killed soon after."""
    program.write_text(DEAF)
    child = ChildCommand()
    deaf = int(next(child.lines()))
    child.cancel()
    with pytest.raises(CifartuiError):
        child.result()
    assert has_ended(deaf)
