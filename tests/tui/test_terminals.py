"""Terminals that are lost, stall, or are taken away by a shell for a while; two on one run; a host that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.training.launch import start_run
from tests.training.running import plan, wait_for
from tests.tui.losing import (
    assert_goes_on,
    living_run,
    lose_without_a_word,
    stall_and_end,
    visible,
)
from tests.tui.terminal import SHELL, Terminal

PATIENCE_SECONDS = 5.0
"""For what takes less than one on a machine with nothing else to do."""
WHOLE = ("1 dataset", "▌3 training▐", "● running", "loss", "leave")
"""Something of every part of the training screen."""


def test_lost_and_stalled_terminals(sketches: DatasetFacts) -> None:
    """The screens are gone or go on, no core is kept busy, and the run does not notice; `make faults` does all ways."""
    with living_run(sketches.name):
        for lose in (lose_without_a_word, stall_and_end):
            lose(PATIENCE_SECONDS)


def test_a_shell_takes_the_screens_away_and_brings_them_back(sketches: DatasetFacts) -> None:
    """Ctrl+Z, and a stop of which the program learns nothing: bg, which may not draw, stops it once more, and fg draws
    the whole screen again; the run went on.
    """
    with living_run(sketches.name) as run:
        shell = Terminal(program=SHELL)
        shell.press(f"set -b; {sys.executable} -m cifartui\r")  # tells of a stop at once
        shell.wait_for(*WHOLE)
        children = Path(f"/proc/{shell.process.pid}/task/{shell.process.pid}/children").read_text().split()
        for stop in (lambda: shell.press("\x1a"), lambda: os.kill(int(children[0]), signal.SIGSTOP)):
            position = shell.written
            stop()
            shell.wait_until(lambda start=position: b"Stopped" in shell.output_since(start))
            position = shell.written
            shell.press("bg\r")
            shell.wait_until(lambda start=position: b"Stopped" in shell.output_since(start))
            assert_goes_on(run)
            position = shell.written
            shell.press("fg\r")
            shell.wait_until(lambda start=position: _is_whole(shell.output_since(start)))
        shell.press("q")
        shell.wait_until(lambda: "goes on (" in shell.after_screens)
        shell.press("echo ag''ain\r")
        shell.wait_until(lambda: "again" in shell.after_screens)
        shell.kill()


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_screens_that_a_shell_has_taken_away_end_when_told(sketches: DatasetFacts, stop: signal.Signals) -> None:
    """`kill` ends them where they are, in the background, and the shell goes on with its terminal."""
    shell = Terminal(program=SHELL)
    shell.press(f"{sys.executable} -m cifartui\r")
    shell.wait_for("few · training images")
    children = Path(f"/proc/{shell.process.pid}/task/{shell.process.pid}/children").read_text().split()
    os.kill(int(children[0]), stop)
    shell.wait_until(lambda: b"Stopped" in shell.output)
    shell.press("kill %1\r")
    shell.wait_until(lambda: not Path(f"/proc/{children[0]}").exists(), seconds=10)
    shell.press("stty -a\r")
    shell.wait_until(lambda: b" echo " in shell.output)
    assert b"Unexpected" not in shell.output
    shell.kill()


def _is_whole(drawn: bytes) -> bool:
    """Whether all parts of the screen were drawn since the screens took the terminal again."""
    shown = visible(drawn.rpartition(b"\x1b[?1049h")[2])
    return all(part in shown for part in WHOLE)


def test_two_on_one_run(sketches: DatasetFacts) -> None:
    """Both show it; a key in one is seen in the other."""
    with living_run(sketches.name):
        first, second = Terminal(), Terminal(160, 45)
        for terminal in (first, second):
            terminal.wait_for("● running")
        first.press(" ")
        for terminal in (first, second):
            terminal.wait_for("‖ paused")
        second.press(" ")
        for terminal in (first, second):
            terminal.wait_for("● running")
            terminal.kill()


def test_a_killed_host_is_seen_within_two_seconds(sketches: DatasetFacts, capfd: pytest.CaptureFixture[str]) -> None:
    """By the screens, by `runs follow` and by `runs show`, though its DataLoader's workers live on for a while."""
    run, host = start_run(plan(sketches.name, "epochs=100000", "loader.kind=dataloader", "loader.num_workers=2"))
    wait_for(run, lambda history, state: state == "running" and history.latest is not None)
    follower = subprocess.Popen(
        [sys.executable, "-m", "cifartui", "runs", "follow", run.id],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    terminal = Terminal()
    terminal.wait_for("● running")
    assert follower.stdout is not None
    assert follower.stdout.readline()
    killed = time.monotonic()
    host.kill()
    terminal.wait_for("✗ interrupted", seconds=2)
    assert follower.wait(timeout=2) == 1
    assert time.monotonic() - killed < 2
    assert "was interrupted" in follower.communicate()[1]
    assert run_command(["runs", "show", run.id]) == 0
    assert ": interrupted, epoch " in capfd.readouterr().out
    terminal.kill()
    host.wait()
