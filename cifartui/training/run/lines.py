"""Files of JSON lines that grow: a line is appended whole or not at all, and read in pieces."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from cifartui.errors import DataError
from cifartui.files import open_file
from cifartui.text import printable
from cifartui.training.run.events import Count

PIECE_BYTES = 4 * 1024 * 1024
"""Read at once; a line as long as that is none of ours."""
BLANKS = b"\0 \t\r"
"""At the ends of a line: zero bytes are what a power cut leaves."""

Line = TypeVar("Line")


class Place(NamedTuple):
    """Somewhere between two lines of a file."""

    offset: Count = 0
    """Bytes before it."""
    lines: Count = 0
    """Lines before it."""
    line: bytes = b""
    """The last of them, with its end."""


BEGINNING = Place()


class BadLine(NamedTuple):
    """A whole line that is not what it should be."""

    number: int
    """In its file, from 1."""
    reason: str


class LineReader(Generic[Line]):
    """The reading end: each call gives the lines added since the last, a piece of the file at a time."""

    def __init__(self, path: Path, decode: Callable[[bytes], Line | None], start: Place = BEGINNING) -> None:
        """`decode` gives None for a line to be passed over."""
        self.path = path
        self._decode = decode
        self._next = start
        self._in_overlong_line = False
        self.good = start
        """Behind the last line that could be read."""
        self.caught_up = False
        """Whether nothing was left to read at the last call."""

    def skip_to_end(self) -> None:
        """Leave what is there so far unread."""
        with suppress(OSError):
            self._next = Place(self.path.stat().st_size, self._next.lines)

    def go_back(self, place: Place) -> None:
        """Read on from there."""
        self._next, self._in_overlong_line = place, False

    def read_new(self) -> list[Line | BadLine]:
        """Return the next lines completed since the last call; an incomplete last line waits for its end.

        Empty lines, and the zero bytes that a power cut leaves, are passed over.

        Raises:
            DataError: there is something else in the file's place, or it may not be read.
        """
        self.caught_up = True
        try:
            with open_file(self.path) as file:
                file.seek(self._next.offset)
                piece = file.read(PIECE_BYTES)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}; remove the run's folder.") from error
        self.caught_up = len(piece) < PIECE_BYTES
        whole = piece[: piece.rfind(b"\n") + 1]
        if not whole and not self.caught_up:
            self._in_overlong_line = self._in_overlong_line or bool(piece.strip(BLANKS))
            self._next = Place(self._next.offset + len(piece), self._next.lines)
        return self._decoded(whole)

    def _decoded(self, whole: bytes) -> list[Line | BadLine]:
        read: list[Line | BadLine] = []
        offset, lines, _ = self._next
        for line in whole.split(b"\n")[:-1]:
            lines, offset = lines + 1, offset + len(line) + 1
            content = line.strip(BLANKS)
            if self._in_overlong_line:
                content, self._in_overlong_line = b"", False
                read.append(BadLine(lines, f"longer than {PIECE_BYTES // 2**20} MiB"))
            if not content:
                continue
            try:
                decoded = self._decode(content)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                read.append(BadLine(lines, printable(str(error), 200)))
                continue
            self.good = Place(offset, lines, line + b"\n")
            if decoded is not None:
                read.append(decoded)
        self._next = Place(offset, lines)
        return read


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
