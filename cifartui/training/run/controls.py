"""Commands to a run: lines in `controls.jsonl`, each with an id that the journal acknowledges or refuses.

A new command is a class here, which the command line takes over with its fields and texts, and its effect in
`training/steering.py`.
"""

import os
import secrets
import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cifartui.errors import DataError
from cifartui.training.run.events import Some
from cifartui.training.run.lines import BadLine, LineReader, append_line


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """A command; the first line of each kind's docstring says what it does."""

    id: str = ""
    """Set when it is sent."""
    time: float = 0.0
    """When it was sent, in Unix seconds."""

    @property
    def command(self) -> str:
        """Its name: `pause`."""
        return str(self.__struct_config__.tag)


class Pause(Control, frozen=True, kw_only=True, tag="pause"):
    """hold a run where it is"""


class Resume(Control, frozen=True, kw_only=True, tag="resume"):
    """let a paused run go on"""


class TakeSteps(Control, frozen=True, kw_only=True, tag="step"):
    """let a paused run take some steps and hold again"""

    steps: Annotated[Some, msgspec.Meta(description="how many steps (1)")] = 1


class SaveCheckpoint(Control, frozen=True, kw_only=True, tag="checkpoint"):
    """save a run's checkpoint now"""


class ChangeRate(Control, frozen=True, kw_only=True, tag="rate"):
    """change the learning rate, and save a checkpoint with it"""

    to: Annotated[
        Literal["up", "down"] | Annotated[float, msgspec.Meta(gt=0, le=100)],
        msgspec.Meta(description="up or down by a factor of 2^(1/2), or a number above 0 and at most 100"),
    ]


class ChangeEpochs(Control, frozen=True, kw_only=True, tag="epochs"):
    """train for more or fewer epochs"""

    epochs: Annotated[int, msgspec.Meta(ge=1, le=100_000, description="how many epochs the run shall have in all")]


class RollBack(Control, frozen=True, kw_only=True, tag="rollback"):
    """go back to the last checkpoint and go on with half the learning rate"""


class Accumulate(Control, frozen=True, kw_only=True, tag="accumulate"):
    """after running out of memory, go on in parts that fit, with the same images a step"""


class Stop(Control, frozen=True, kw_only=True, tag="stop"):
    """end a run with a checkpoint"""

    save: Annotated[bool, msgspec.Meta(description="end it without a checkpoint")] = True


AnyControl = Pause | Resume | TakeSteps | SaveCheckpoint | ChangeRate | ChangeEpochs | RollBack | Accumulate | Stop

STOP_BY_SIGNAL = Stop(id="signal")
"""What a SIGTERM means."""


def send(path: Path, control: AnyControl) -> AnyControl:
    """Append a command to a run's file of controls and return it with its id."""
    control = msgspec.structs.replace(control, id=secrets.token_hex(4), time=time.time())
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        append_line(descriptor, msgspec.json.encode(control))
    finally:
        os.close(descriptor)
    return control


class ControlInbox:
    """The receiving end, in the process that carries the run."""

    def __init__(self, path: Path) -> None:
        self._reader: LineReader[AnyControl] = LineReader(path, msgspec.json.Decoder(AnyControl).decode)
        self._asked_to_stop = False
        self._unreadable = False

    def ask_to_stop(self) -> None:
        """Stop as if commanded; safe to call from a signal handler."""
        self._asked_to_stop = True

    def is_asked_to_stop(self) -> bool:
        """Whether that was asked and not read yet."""
        return self._asked_to_stop

    def pass_over(self) -> None:
        """Leave what was sent so far unread: it was meant for the run before it was taken up again."""
        self._reader.skip_to_end()

    def read_new(self) -> tuple[list[AnyControl], str]:
        """Return the commands that arrived since the last call, and a sentence about a line that is none."""
        controls: list[AnyControl] = []
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
