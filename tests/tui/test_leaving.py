"""How the screens end when something goes wrong: the terminal given back, one sentence, the living run named."""

import errno
import re
import termios
from pathlib import Path

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.tui.app import CifarApp
from tests.tui.driving import SMALL, scripted_run, shown, wait_for_text, wait_until
from tests.tui.terminal import LEAVE_ALTERNATE_SCREEN, Terminal

BROKEN_HELP = """
import sys
from cifartui.tui.app import CifarApp, run_app
CifarApp.action_help = lambda self: {}["a key\\x1b]52;c;ZXZpbA==\\x07"]
sys.exit(run_app())
"""


def ended(terminal: Terminal) -> tuple[int, str]:
    """The exit code, and what stands in the terminal that was given back."""
    code = terminal.process.wait(timeout=20)
    terminal.wait_until(lambda: terminal.after_screens.endswith("\n"), seconds=10)
    return code, terminal.after_screens


def test_an_exception_in_the_screens_is_one_sentence(sketches: DatasetFacts, home: Path) -> None:
    """Exit code 1, a log with the traceback, nothing of it on the terminal, which works as before; the run is named."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        terminal = Terminal(program=("-c", BROKEN_HELP))
        terminal.wait_for("running")
        terminal.press("?")
        code, text = ended(terminal)
    log = home / "error.log"
    assert code == 1
    sentence = re.escape(
        f"cifartui: Unexpected KeyError: 'a key\\x1b]52;c;ZXZpbA==\\x07'; please report it with {log}."
    )
    assert re.fullmatch(
        sentence + r"\nRun tutorial-\w+ goes on \(\d+%\)\.\n.*\n  end it: +cifartui runs stop tutorial-\w+\n", text
    )
    assert "Traceback" in log.read_text()
    assert b"Traceback" not in terminal.output
    assert terminal.output.count(LEAVE_ALTERNATE_SCREEN) == 1
    assert termios.tcgetattr(terminal.descriptor)[3] == terminal.settings[3]  # echo and lines, as a shell left them


@pytest.mark.parametrize("where", ["file", "read-only"])
def test_a_home_that_cannot_be_made_is_one_sentence(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal is not even taken."""
    if where == "file":
        (tmp_path / "place").touch()
        monkeypatch.setenv("CIFARTUI_HOME", str(tmp_path / "place" / "home"))
        expected = (3, "a part of the path is a file, not a folder; check the path.")
    else:
        monkeypatch.setenv("CIFARTUI_HOME", "/proc/cifartui")
        expected = (3, "there is no such file; check the path.")
    terminal = Terminal()
    code, text = ended(terminal)
    assert (code, text.count("\n")) == (expected[0], 1)
    assert text.startswith("cifartui: ")
    assert text.endswith(f"{expected[1]}\n")
    assert b"\x1b[?1049h" not in terminal.output


def test_the_log_has_another_place_where_the_home_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary file takes the traceback, and none is named where that fails too."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CIFARTUI_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sentence = str(failure(ValueError("x" * 10_000)))
    log = re.search(rf"report it with ({tmp_path}\S+\.log)\.$", sentence)
    assert log
    assert "ValueError" in Path(log[1]).read_text()
    assert len(sentence) < 400
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert str(failure(ValueError("no"))) == "Unexpected ValueError: no; please report it."


async def test_an_exception_in_a_worker_is_told_and_logged(sketches: DatasetFacts, home: Path) -> None:
    """The screen stays; the sentence names the log."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")

        def fail() -> None:
            raise LookupError("nobody foresaw this")

        pilot.app.screen.run_worker(fail, thread=True, exit_on_error=False)
        await wait_for_text(pilot, "✗ Unexpected LookupError: nobody foresaw this;", seconds=10)
        assert "few · training images" in shown(pilot)
    assert "in fail" in (home / "error.log").read_text()


async def test_the_palette_is_paged_before_its_list_is_there(sketches: DatasetFacts) -> None:
    """Keys typed in the instant the command palette opens."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        for key in ("ctrl+p", *["pagedown", "pageup", "down"] * 20, "escape"):
            pilot.app.simulate_key(key)
        await wait_until(pilot, lambda: len(pilot.app.screen_stack) == 1, seconds=10)


async def test_a_palette_closes_once(sketches: DatasetFacts) -> None:
    """A click beside it and escape at once close it, and not the screen below."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.app.run_action("command_palette")
        await wait_for_text(pilot, "Search for", seconds=10)
        palette = pilot.app.screen
        for _ in range(2):
            palette.dismiss()
        await wait_until(pilot, lambda: len(pilot.app.screen_stack) == 1, seconds=10)
        assert "few · training images" in shown(pilot)


async def test_lists_without_room_are_paged(sketches: DatasetFacts) -> None:
    """A wide terminal of few lines leaves none for the list of data sets."""
    async with CifarApp().run_test(size=(160, 12)) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("pagedown", "pageup")


@pytest.mark.parametrize("size", [(20, 5), (1, 1)])
async def test_no_terminal_is_too_small(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Every screen is drawn in whatever there is."""
    scripted_run(sketches.name)
    async with CifarApp().run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("1", "o", "escape", "l", "escape", "2", "p", "escape", "3", "4", "i", "escape", "?", "escape"):
            await pilot.press(key)


def test_foreseen_errors_keep_their_sentence(home: Path) -> None:
    """What has a sentence is not logged."""
    assert str(failure(CifartuiError("The disk sleeps."))) == "The disk sleeps."
    assert failure(FileNotFoundError(errno.ENOENT, "", "gone")).exit_code == 3
    assert not (home / "error.log").exists()
