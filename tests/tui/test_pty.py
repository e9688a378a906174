"""The program in a real terminal: keys, leaving, and losing terminal or program while a run goes on."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifartui.dataset.importing import import_dataset
from cifartui.dataset.store import DatasetFacts
from cifartui.progress import finish
from cifartui.training.run.controls import Stop
from cifartui.training.run.folder import Run, all_runs
from cifartui.training.run.follow import command, read_history
from cifartui.training.run.journal import JournalReader
from cifartui.tui.view import short_id
from cifartui.tui.widgets.quadrants import CHARACTERS
from tests.dataset.test_importing import picture, tar_with
from tests.training.running import wait_for
from tests.tui.terminal import LEAVE_ALTERNATE_SCREEN, Terminal

DOWN, RIGHT, ENTER, END = "\x1b[B", "\x1b[C", "\r", "\x1b[F"


@pytest.fixture
def started_run(sketches: DatasetFacts) -> Iterator[tuple[Terminal, Run]]:
    """A run of 2,000 epochs that was set up and started by keyboard, seen to train; stopped afterwards."""
    terminal = Terminal()
    terminal.wait_for("few · training images")
    terminal.press(ENTER, "3")
    terminal.wait_for("data set few", "The network to train")
    terminal.press(RIGHT, "v")
    terminal.wait_for("epochs = 2", "⏎ keep")
    terminal.press(END, "000", ENTER)
    terminal.wait_for("● 1 changed", "2000")
    terminal.press(ENTER)
    terminal.wait_for("● running", "/2,000 ·")
    (run,) = all_runs()
    yield terminal, run
    _, state = read_history(run)
    if state == "running":
        command(run, Stop())
    if terminal.process.poll() is None:
        terminal.kill()


def steps(run: Run) -> int:
    """How far the run's journal says it is."""
    history, _ = read_history(run)
    return history.latest.step if history.latest else 0


def assert_goes_on(run: Run) -> None:
    """The run trains on from where it is now."""
    reached = steps(run)
    wait_for(run, lambda history, state: state == "running" and bool(history.latest and history.latest.step > reached))


def test_four_screens_and_leaving(sketches: DatasetFacts) -> None:
    """Every screen opens by its key; nothing of torch is in the process; q leaves and gives the terminal back."""
    terminal = Terminal()
    terminal.wait_for("few · training images")
    for key, text in (("2", "62,006"), ("3", "The network to train"), ("4", "no checkpoints yet"), ("1", "airplane")):
        terminal.press(key)
        terminal.wait_for(text)
    maps = Path(f"/proc/{terminal.process.pid}/maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text()
    terminal.press("q")
    assert terminal.process.wait(timeout=20) == 0
    terminal.wait_until(lambda: LEAVE_ALTERNATE_SCREEN in terminal.output)


@pytest.mark.parametrize(("term", "coloured"), [("xterm-256color", True), ("xterm", False), ("vt100", False)])
def test_pictures_are_readable_in_any_number_of_colours(sketches: DatasetFacts, term: str, coloured: bool) -> None:
    """Blocks with 256 colours, shades of grey with 16: wall, opened picture and caption."""
    terminal = Terminal(term=term)
    terminal.wait_for("few · training images", "■ ")
    blocks = sum(terminal.text.count(block) for block in CHARACTERS[1:])
    shades = sum(terminal.text.count(shade) for shade in "·░▒▓")
    assert blocks > 200 if coloured else blocks < 10  # the tabs have some, too
    assert coloured or shades > 100
    terminal.press("o")
    terminal.wait_for("pixel (16, 16)")
    terminal.press("q", "q")
    assert terminal.process.wait(timeout=20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_program_tidily(sketches: DatasetFacts, number: signal.Signals) -> None:
    """SIGTERM and SIGHUP give the terminal back and exit with 128 + the signal's number."""
    terminal = Terminal()
    terminal.wait_for("few · training images")
    terminal.process.send_signal(number)
    assert terminal.process.wait(timeout=20) == 128 + number
    terminal.wait_until(lambda: LEAVE_ALTERNATE_SCREEN in terminal.output)


def test_run_outlives_program_and_terminal(started_run: tuple[Terminal, Run]) -> None:
    """kill -9 of the program, then loss of the terminal, each mid-epoch: the run goes on and is attached to again."""
    terminal, run = started_run
    terminal.kill()
    assert_goes_on(run)

    second = Terminal()
    second.wait_for("▌3 training▐", "● running", "/2,000 ·")
    assert second.close() == 128 + signal.SIGHUP
    assert_goes_on(run)

    third = Terminal(160, 45)
    third.wait_for("▌3 training▐", "● running", "/2,000 ·")
    third.press(" ")
    third.wait_for("‖ paused")
    held = steps(run)
    third.press("k")
    third.wait_for(f"checkpoint saved at step {held:,}")
    assert steps(run) == held
    third.press(" ")
    third.wait_for("● running")
    assert_goes_on(run)
    third.press("x")
    third.wait_for("stop it with a checkpoint")
    third.press("\r")
    third.wait_for("■ stopped")
    third.press("q")
    assert third.process.wait(timeout=20) == 0
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))


def test_leaving_says_that_the_run_goes_on(started_run: tuple[Terminal, Run]) -> None:
    """q during a run leaves it alive, and says on the shell which it is, how far, and how to come back or end it."""
    terminal, run = started_run
    terminal.press("q")
    assert terminal.process.wait(timeout=20) == 0
    name = short_id(run.id)
    told = rf"Run {name} goes on \(\d+%\)\.\n  see it again:  cifartui\n  end it:        cifartui runs stop {name}\n"
    terminal.wait_until(lambda: re.fullmatch(told, terminal.after_screens))
    assert_goes_on(run)


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """Class names with escape sequences, bidirectional marks and markup: none of it is in the bytes on the pty."""
    names = ("\x1b]52;c;ZXZpbA==\x07cat", "dog\u202egpj", "[@click=app.quit]x")
    members = [(f"{split}/{name}/0.png", picture(1)) for split in ("train", "test") for name in names]
    finish(import_dataset(tar_with(tmp_path, *members), "hostile"))
    terminal = Terminal()
    terminal.wait_for("hostile · training images", "■ ")
    terminal.press("/")
    terminal.wait_for("look at one class")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("hostile · training images · �]52;")
    terminal.press("o")
    terminal.wait_for("pixel (16, 16)")
    for key in ("\x1b", "c", "3"):
        terminal.press(key)
    terminal.wait_for("The network to train")
    terminal.press("q")
    assert terminal.process.wait(timeout=20) == 0
    assert b"]52;" not in terminal.output.replace("�]52;".encode(), b"")
    assert "\u202e".encode() not in terminal.output
    assert "[@click=app.quit]" in terminal.output.decode(errors="replace")
