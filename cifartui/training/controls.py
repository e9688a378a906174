"""Commands to a run: lines in `controls.jsonl`, each with an id that the journal acknowledges."""

import os
import secrets
import time
from pathlib import Path
from typing import Literal

import msgspec

from cifartui.errors import DataError
from cifartui.training.journal import BadLine, LineReader, append_line

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


STOP_BY_SIGNAL = Control(id="signal", command="stop", time=0.0)
"""What a SIGTERM means."""


class ControlInbox:
    """The receiving end, in the process that carries the run."""

    def __init__(self, path: Path) -> None:
        self._reader: LineReader[Control] = LineReader(path, msgspec.json.Decoder(Control).decode)
        self._asked_to_stop = False
        self._unreadable = False

    def ask_to_stop(self) -> None:
        """Stop as if commanded; safe to call from a signal handler."""
        self._asked_to_stop = True

    def is_asked_to_stop(self) -> bool:
        """Whether that was asked and not read yet."""
        return self._asked_to_stop

    def read_new(self) -> tuple[list[Control], str]:
        """Return the commands that arrived since the last call, and a sentence about a line that is none."""
        controls: list[Control] = []
        problem = ""
        try:
            for line in self._reader.read_new():
                if isinstance(line, Control):
                    controls.append(line)
                else:
                    problem = problem or _no_command(line)
        except DataError as error:
            problem = "" if self._unreadable else str(error)
            self._unreadable = True
        if self._asked_to_stop:
            self._asked_to_stop = False
            controls.append(STOP_BY_SIGNAL)
        return controls, problem


def _no_command(line: BadLine) -> str:
    return f"line {line.number} of controls.jsonl is no command ({line.reason}) and was passed over"
