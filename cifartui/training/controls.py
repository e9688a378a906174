"""Commands to a run: lines in `controls.jsonl`, each with an id that the journal acknowledges."""

import os
import secrets
import time
from pathlib import Path
from typing import Literal

import msgspec

from cifartui.errors import DataError
from cifartui.training.journal import LineReader, append_line

Command = Literal["pause", "resume", "stop", "checkpoint"]


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command."""

    id: str
    command: Command
    time: float
    """Unix time in seconds."""


def send(path: Path, command: Command) -> Control:
    """Append a command to a run's file of controls and return it with its id."""
    control = Control(id=secrets.token_hex(4), command=command, time=time.time())
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        append_line(descriptor, msgspec.json.encode(control))
    finally:
        os.close(descriptor)
    return control


class ControlInbox:
    """The receiving end, in the process that carries the run."""

    def __init__(self, path: Path) -> None:
        self._reader: LineReader[Control] = LineReader(path, Control)
        self._asked_to_stop = False

    def ask_to_stop(self) -> None:
        """Stop as if commanded; safe to call from a signal handler."""
        self._asked_to_stop = True

    def read_new(self) -> tuple[list[Control], str]:
        """Return the commands that arrived since the last call, and a sentence about a line that is none."""
        try:
            controls, problem = self._reader.read_new(), ""
        except DataError as error:
            controls, problem = [], str(error)
        if self._asked_to_stop:
            self._asked_to_stop = False
            controls.append(Control(id="signal", command="stop", time=time.time()))
        return controls, problem
