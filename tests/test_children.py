"""Child processes: nobody waits for a full pipe or for ever, and nothing is left of one that has ended."""

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifartui.children import AnswerLimitError, Child, TimeLimitError
from cifartui.errors import CifartuiError, DataError

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
FORKING = """
import os, sys, time
if not os.fork():
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
    time.sleep(0.01)
print("done", flush=True)
time.sleep(float(sys.argv[2]))
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
    child = Child("cifartui")
    reports = list(child.progress())
    assert len(reports) > 20_000
    assert reports[-1].activity == "talking"
    assert child.result() == b"99:".ljust(10_000, b"x")


def test_lines_come_although_nobody_reads_the_progress(program: Path) -> None:
    """All lines of the answer, in order, with the progress left unread."""
    program.write_text(LOUD)
    assert [int(line.partition(b":")[0]) for line in Child("cifartui").lines()] == list(range(100))


def test_the_last_complaint_is_the_sentence(program: Path) -> None:
    """A command that fails raises its own sentence; one that says nothing has been cut short."""
    program.write_text("import sys; print('cifartui: The disk is full.', file=sys.stderr); sys.exit(1)")
    with pytest.raises(CifartuiError, match=r"^The disk is full\.$"):
        Child("cifartui").result()
    program.write_text("import sys; print('cifartui: It is damaged.\\nBye', file=sys.stderr); sys.exit(3)")
    with pytest.raises(DataError, match=r"^It is damaged\.$"):
        Child("cifartui").result()
    program.write_text("import os; os.abort()")
    with pytest.raises(CifartuiError, match=r"^The work was cut short \(SIGABRT, perhaps for lack of memory\)\.$"):
        list(Child("cifartui").lines())


def test_cancelled_with_what_it_started(program: Path, tmp_path: Path) -> None:
    """The command puts away what it was at, and a process that it started is gone with it."""
    program.write_text(PATIENT)
    child = Child("cifartui", str(tmp_path / "traces"))
    inner = int(next(child.lines()))
    child.cancel()
    with pytest.raises(CifartuiError):
        child.result()
    assert has_ended(inner)
    assert (tmp_path / "traces").read_text() == "put away"


def test_cancelled_although_it_does_not_listen(program: Path) -> None:
    """A command that passes over the interrupt is killed soon after."""
    program.write_text(DEAF)
    child = Child("cifartui")
    deaf = int(next(child.lines()))
    child.cancel()
    with pytest.raises(CifartuiError):
        child.result()
    assert has_ended(deaf)


def test_a_forked_process_that_holds_the_pipes_is_not_waited_for(program: Path, tmp_path: Path) -> None:
    """The end is that of the child; what it left behind is gone then."""
    program.write_text(FORKING)
    started = time.monotonic()
    assert Child("cifartui", str(tmp_path / "inner"), "0").result() == b"done"
    assert time.monotonic() - started < 10
    assert has_ended(int((tmp_path / "inner").read_text()))


def test_left_before_its_end(program: Path, tmp_path: Path) -> None:
    """A context that is left, be it by closing the generator that it is in, leaves no process."""
    program.write_text(FORKING)

    def working() -> Iterator[bytes]:
        with Child("cifartui", str(tmp_path / "inner"), "60") as child:
            yield from child.lines()

    work = working()
    assert next(work) == b"done"
    work.close()
    assert has_ended(int((tmp_path / "inner").read_text()))


def test_limits(program: Path) -> None:
    """One that takes too long is stopped, also with closed pipes, and so is one that answers without end."""
    program.write_text("import os, time; os.close(1); os.close(2); time.sleep(60)")
    child = Child("cifartui", seconds=1)
    started = time.monotonic()
    with pytest.raises(TimeLimitError, match="took longer than 1 s"):
        child.result()
    assert time.monotonic() - started < 10
    assert child.exit_code == -9
    program.write_text("import os\nwhile True: os.write(1, b'x' * 60_000)")
    child = Child("cifartui", most_bytes=1_000_000)
    with pytest.raises(AnswerLimitError, match="more than 1,000,000 bytes"):
        list(child.lines())
    assert child.exit_code == -9


def test_reports_that_nobody_reads_take_no_memory(program: Path) -> None:
    """The oldest of them are dropped, be they lines or one that does not end; the sentence at the end is there."""
    program.write_text(
        "import sys\nfor _ in range(100): print('x' * 99_999, file=sys.stderr)\n"
        "for _ in range(100): sys.stderr.write('y' * 100_000)\n"
        "print('\\ncifartui: The disk is full.', file=sys.stderr)\nsys.exit(1)"
    )
    child = Child("cifartui")
    tracemalloc.start()
    for _ in child.looks():
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 500_000 < most < 6_000_000
    with pytest.raises(CifartuiError, match=r"^The disk is full\.$"):
        child.result()
