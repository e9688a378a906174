"""Terminals that are lost, stall or are taken away for a while, with a real run in view; what must come of it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte

from cifartui.training.launch import start_run
from cifartui.training.run.events import StepsReported
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import read_history
from cifartui.training.run.journal import JournalReader
from tests.training.running import plan, wait_for
from tests.tui.terminal import Terminal

IGNORING = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
SCREENS = "import sys\nfrom cifartui.tui.app import run_app\nsys.exit(run_app())"
LEAVING_SCREENS = b"\x1b[?1049l\x1b[?25h"
STALLED_SECONDS = 20.0
"""Within these, Textual has drawn all the frames that it keeps for a terminal which takes none."""
IDLE = 0.15
"""The share of a core that stuck screens take at most: they go on reading the run's journal."""


@contextmanager
def living_run(dataset: str) -> Iterator[Run]:
    """A run that has the same host at the end as at the start, and whose journal has no gap and nothing twice."""
    run, host = start_run(plan(dataset, "epochs=100000"))
    try:
        wait_for(run, lambda history, state: state == "running" and history.latest is not None)
        yield run
        assert host.poll() is None
        assert_goes_on(run)
    finally:
        host.terminate()
        host.wait(60)
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))
    steps = [event.step for event in events if isinstance(event, StepsReported)]
    assert steps == sorted(set(steps))


def assert_goes_on(run: Run) -> None:
    """The run trains on from where it is now."""
    history, _ = read_history(run)
    reached = history.latest.step if history.latest else 0
    wait_for(run, lambda history, _: history.latest is not None and history.latest.step > reached)


def watching(*, hangs_up: bool = True, before: str = "") -> Terminal:
    """The screens with the living run in view."""
    terminal = Terminal(emulated=False, hangs_up=hangs_up, program=("-c", before + SCREENS))
    terminal.wait_until(lambda: b"running" in terminal.output)
    return terminal


def gone_after(terminal: Terminal, code: int, seconds: float) -> None:
    """The program ends within so long, with an exit code."""
    started = time.monotonic()
    assert terminal.process.wait(timeout=20) == code
    assert time.monotonic() - started < seconds


def lose_to_hang_up(seconds: float) -> None:
    """The terminal is closed, and the system says so."""
    terminal = watching()
    terminal.take_away()
    gone_after(terminal, 128 + signal.SIGHUP, seconds)


def lose_without_a_word(seconds: float) -> None:
    """The terminal is closed, and nobody says so: there is only the end of the input."""
    terminal = watching(hangs_up=False, before=IGNORING)
    terminal.take_away()
    gone_after(terminal, 128 + signal.SIGHUP, seconds)


def _end_by(number: signal.Signals, seconds: float) -> None:
    terminal = watching()
    terminal.process.send_signal(number)
    gone_after(terminal, 128 + number, seconds)
    terminal.wait_until(lambda: LEAVING_SCREENS in terminal.output)
    os.close(terminal.descriptor)


def end_by_sighup(seconds: float) -> None:
    """SIGHUP from someone, with the terminal there."""
    _end_by(signal.SIGHUP, seconds)


def end_by_sigterm(seconds: float) -> None:
    """SIGTERM, with the terminal there."""
    _end_by(signal.SIGTERM, seconds)


def stalled() -> Terminal:
    """The screens on a terminal that takes nothing more, stuck in drawing, which takes no time of a core."""
    terminal = watching()
    terminal.stall()
    deadline = time.monotonic() + STALLED_SECONDS
    busy = 1.0
    while busy > IDLE:
        assert time.monotonic() < deadline, f"a core is busy for {busy:.0%} of the time"
        for key in b"1234":
            os.write(terminal.descriptor, bytes([key]))
            time.sleep(0.05)
        before = terminal.cpu_seconds
        time.sleep(0.5)
        busy = (terminal.cpu_seconds - before) / 0.5
    return terminal


def stall_and_go_on(_: float) -> None:
    """A stalled terminal reads again: the screens answer keys as before, and leave when asked to."""
    terminal = stalled()
    position = terminal.written
    terminal.read()
    terminal.press("2")
    terminal.wait_until(lambda: b"62,006" in terminal.output_since(position))
    terminal.press("q")
    assert terminal.process.wait(timeout=20) == 0
    os.close(terminal.descriptor)


def stall_and_end(seconds: float) -> None:
    """A stalled terminal is given back at SIGTERM all the same, for the shell to go on with once it reads again."""
    terminal = stalled()
    terminal.process.send_signal(signal.SIGTERM)
    gone_after(terminal, 128 + signal.SIGTERM, seconds)
    terminal.read()
    terminal.wait_until(lambda: LEAVING_SCREENS in terminal.output)
    os.close(terminal.descriptor)


def stall_and_lose(seconds: float) -> None:
    """A stalled terminal is closed."""
    terminal = stalled()
    terminal.take_away()
    gone_after(terminal, 128 + signal.SIGHUP, seconds)


LOSSES: tuple[Callable[[float], None], ...] = (
    lose_to_hang_up,
    lose_without_a_word,
    end_by_sighup,
    end_by_sigterm,
    stall_and_go_on,
    stall_and_end,
    stall_and_lose,
)
"""Each is given the seconds in which the screens must be gone."""


def visible(drawn: bytes, columns: int = 80, lines: int = 24) -> str:
    """What stands on a screen that was empty before this was drawn."""
    screen = pyte.Screen(columns, lines)
    pyte.ByteStream(screen).feed(drawn)
    return "\n".join(screen.display)
