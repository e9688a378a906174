"""Storms: random keys, clicks and resizes in a real terminal, while a real run trains."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from cifartui.training.launch import start_run
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import read_history
from cifartui.training.run.journal import JournalReader
from cifartui.training.run.states import LIVING
from tests.training.running import plan, wait_for
from tests.tui.terminal import Terminal

LETTERS = "abcdefghijklmnoprtuvwxyz"  # s could stop the run, q leaves: it comes more rarely
KEYS = [
    *(LETTERS + "0123456789" + "?./=+-_ "),
    *(f"\x1b[{arrow}" for arrow in "ABCDABCDHFZ"),  # arrows, home, end, shift+tab
    *(f"\x1b[{number}~" for number in (3, 5, 6, 5, 6)),  # delete, page up and down
    *("\x1b[1;2A", "\x1b[1;2B", "\x7f", "\t", "\t", "\r", "\r", "\r", "\x1b", "\x1b", "\x1b", "\x10"),
]
SIZES = [(160, 45), (110, 34), (100, 12), (80, 24), (40, 12), (20, 5)]
LEAVING = 0.002
"""How often a key is q."""
PAUSES = (0.0, 0.0, 0.0, 0.01, 0.05)
HARMLESS = {"pause", "resume", "checkpoint", "step", "rate", "epochs"}
"""What the keys of a storm can tell a run; of these, only fewer epochs can end it."""


def weather(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nothing that a storm writes or asks for goes anywhere but into a folder."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.chdir(folder)


def storm(dataset: str, home: Path, seed: int, keys: int) -> None:
    """Send so many random keys; the screens live until they are left, and the run does only what keys can tell it."""
    run, host = start_run(plan(dataset, "epochs=100000"))
    try:
        wait_for(run, lambda history, _: history.latest is not None)
        typed = _type(random.Random(seed), keys, run)
        assert host.poll() is None or "epochs" in _commands(run), typed
        assert not (home / "error.log").exists(), (home / "error.log").read_text() + typed
    finally:
        host.terminate()
        host.wait(60)
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))
    assert _commands(run) <= HARMLESS


def _commands(run: Run) -> set[str]:
    """Everything that the run was told."""
    lines = run.controls_file.read_text().splitlines() if run.controls_file.exists() else []
    return {json.loads(line)["command"] for line in lines}


def _type(chance: random.Random, keys: int, run: Run) -> str:
    """Type, and leave at the end; return what was typed last, to be shown if something went wrong."""
    terminal, typed, columns, lines = Terminal(80, 24, emulated=False), [], 80, 24
    _started(terminal)
    for _ in range(keys):
        draw = chance.random()
        if draw < 0.01:
            columns, lines = chance.choice(SIZES)
            terminal.resize(columns, lines)
            key = f"{columns}x{lines}"
        else:
            key = _click(chance, columns, lines) if draw < 0.04 else chance.choice(KEYS)
            key = "q" if chance.random() < LEAVING else key
            _send(terminal, key)
        typed.append(key)
        time.sleep(chance.choice(PAUSES))
        if terminal.process.poll() is not None:  # q, or the palette's way to leave
            _left(terminal, run, typed)
            terminal = Terminal(columns, lines, emulated=False)
            _started(terminal)
    deadline = time.monotonic() + 30
    while terminal.process.poll() is None and time.monotonic() < deadline:
        for key in ("\x1b", "\x1b", "q", "y"):
            _send(terminal, key)
            time.sleep(0.1)
    _left(terminal, run, typed)
    return repr(typed[-60:])


def _click(chance: random.Random, columns: int, lines: int) -> str:
    button, column, line = chance.choice((0, 0, 64, 65)), chance.randint(1, columns), chance.randint(1, lines)
    return f"\x1b[<{button};{column};{line}M\x1b[<{button};{column};{line}m"


def _send(terminal: Terminal, key: str) -> None:
    try:
        os.write(terminal.descriptor, key.encode())
    except OSError:  # nobody has the terminal any more
        time.sleep(0.1)


def _started(terminal: Terminal) -> None:
    """Wait for a first frame; even 20×5 cells take more bytes than the settings of the terminal."""
    terminal.wait_until(lambda: terminal.written > 1_000 or terminal.process.poll() is not None)


def _left(terminal: Terminal, run: Run, typed: list[str]) -> None:
    """The program ended as if asked to, and said that the run goes on, if it does."""
    last = f"typed last: {typed[-60:]!r}"
    assert terminal.process.wait(timeout=20) == 0, terminal.after_screens + last
    goes_on = "cifartui runs stop "  # of the run in view, which may be another that the keys started
    terminal.wait_until(lambda: goes_on in terminal.after_screens or read_history(run)[1] not in LIVING, seconds=10)
    for word in (b"Traceback", b"Unexpected"):
        assert word not in terminal.output, last
