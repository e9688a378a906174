"""The journal of a run: append-only JSON lines, numbered, flushed; a torn last line is ignored."""

import os
import time
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from cifartui.errors import DataError
from cifartui.training.events import AnyEvent

Line = TypeVar("Line")

_encoder = msgspec.json.Encoder()


class Journal:
    """The writing end; the process that holds the run's lock has it."""

    def __init__(self, path: Path) -> None:
        self._next_seq = 0
        self._file = path.open("ab", buffering=0)

    def append(self, event: AnyEvent) -> AnyEvent:
        """Number an event, note the time, write it as one line, and return it so.

        Raises:
            OSError: it could not be written.
        """
        numbered = msgspec.structs.replace(event, seq=self._next_seq, time=time.time())
        append_line(self._file.fileno(), _encoder.encode(numbered))
        self._next_seq += 1
        return numbered


class LineReader(Generic[Line]):
    """The reading end of a file of JSON lines that grows: each call gives the lines added since the last."""

    def __init__(self, path: Path, line_type: "type[Line] | object") -> None:
        self.path = path
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(line_type)
        self._offset = 0
        self._lines = 0

    def read_new(self) -> list[Line]:
        """Return the lines completed since the last call; an incomplete last line waits for the next.

        Raises:
            DataError: a complete line is not what it should be; the sentence names file and line.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        decoded = []
        for line in whole.splitlines():
            self._lines += 1
            self._offset += len(line) + 1
            try:
                decoded.append(self._decoder.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise DataError(
                    f"{self.path} is damaged at line {self._lines} ({error}); "
                    "repair that line or remove the run's folder."
                ) from error
        return decoded


def journal_reader(path: Path) -> LineReader[AnyEvent]:
    """The reading end of a run's journal."""
    return LineReader(path, AnyEvent)


def append_line(descriptor: int, line: bytes) -> None:
    """Append one whole line, or nothing: a line that does not fit on the disk is taken back.

    Raises:
        OSError: the line could not be written.
    """
    length = os.fstat(descriptor).st_size
    rest = memoryview(line + b"\n")
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, length)
        raise
