"""The journal of a run: append-only JSON lines, numbered, flushed; a torn or unreadable end is no part of it."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, get_args

import msgspec

from cifartui.errors import DataError, obstacle
from cifartui.files import open_file
from cifartui.text import printable
from cifartui.training.run.events import AnyEvent, LineDamaged, LossLogged, StepsReported, Warned

RETRY_SECONDS = 0.5
"""Between two tries to write what a full disk did not take."""
WAITING_EVENTS = 1_000
"""As many events wait for a full disk; of more, progress reports are dropped first, then log lines, oldest first."""

Line = TypeVar("Line")

_encoder = msgspec.json.Encoder()


class Journal:
    """The writing end; the process that holds the run's lock has it.

    What cannot be written (the disk is full) waits in memory and is tried again, so that the caller goes on; when it
    is written at last, a warning tells for how long it was not.
    """

    def __init__(self, path: Path) -> None:
        self._next_seq = 0
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()
        self._waiting: deque[AnyEvent] = deque()
        self._held_up_since: float | None = None
        self._obstacle = ""
        self._retrying = False

    def append(self, event: AnyEvent) -> None:
        """Note the time of an event, number it and write it as one line, now or as soon as that is possible."""
        with self._lock:
            self._waiting.append(msgspec.structs.replace(event, time=time.time()))
            self._write_waiting()
            if self._waiting and not self._retrying:
                self._retrying = True
                threading.Thread(target=self._retry, daemon=True).start()

    def wait_until_written(self, seconds: float, give_up: Callable[[], bool] = lambda: False) -> str:
        """Wait until nothing is left to write, for so long at most; return why it is not, or nothing."""
        deadline = time.monotonic() + seconds
        while self._waiting and time.monotonic() < deadline and not give_up():
            time.sleep(0.05)
        return self._obstacle if self._waiting else ""

    def _write_waiting(self) -> None:
        while self._waiting:
            numbered = msgspec.structs.replace(self._waiting[0], seq=self._next_seq)
            try:
                append_line(self._file.fileno(), _encoder.encode(numbered))
            except OSError as error:
                self._obstacle = obstacle(error)
                self._held_up_since = self._held_up_since or time.time()
                if len(self._waiting) > WAITING_EVENTS:
                    self._drop_one()
                return
            self._next_seq += 1
            self._waiting.popleft()
            if self._held_up_since and not self._waiting:
                seconds, self._held_up_since = time.time() - self._held_up_since, None
                message = f"the journal could not be written for {seconds:.0f} s ({self._obstacle}); the run went on"
                self._waiting.append(Warned(message=message, time=time.time()))

    def _drop_one(self) -> None:
        for least in (StepsReported, LossLogged, object):
            for place, event in enumerate(self._waiting):
                if isinstance(event, least):
                    del self._waiting[place]
                    return

    def _retry(self) -> None:
        while self._retrying:
            time.sleep(RETRY_SECONDS)
            with self._lock:
                self._write_waiting()
                self._retrying = bool(self._waiting)


class BadLine(NamedTuple):
    """A whole line that is not what it should be."""

    number: int
    """In its file, from 1."""
    reason: str


class LineReader(Generic[Line]):
    """The reading end of a file of JSON lines that grows: each call gives the lines added since the last."""

    def __init__(self, path: Path, decode: Callable[[bytes], Line | None]) -> None:
        """`decode` gives None for a line to be passed over."""
        self.path = path
        self._decode = decode
        self._offset = 0
        self._lines = 0

    def skip_to_end(self) -> None:
        """Leave what is there so far unread."""
        with suppress(OSError):
            self._offset = self.path.stat().st_size

    def read_new(self) -> list[Line | BadLine]:
        """Return the lines completed since the last call; an incomplete last line waits for the next.

        Empty lines, and the zero bytes that a power cut leaves, are passed over.

        Raises:
            DataError: there is something else in the file's place, or it may not be read.
        """
        try:
            with open_file(self.path) as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}; remove the run's folder.") from error
        read: list[Line | BadLine] = []
        for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
            self._lines += 1
            self._offset += len(line) + 1
            content = line.strip(b"\0 \t\r")
            if not content:
                continue
            try:
                decoded = self._decode(content)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                read.append(BadLine(self._lines, printable(str(error), 200)))
            else:
                read += [] if decoded is None else [decoded]
        return read


class JournalReader:
    """The reading end of a run's journal."""

    def __init__(self, path: Path) -> None:
        self._lines: LineReader[AnyEvent] = LineReader(path, _decode_event)
        self._begun = False
        self._unreadable: LineDamaged | None = None

    def read_new(self) -> list[AnyEvent]:
        """Return the events written since the last call; those of a newer version of the program are passed over.

        For unreadable lines a `LineDamaged` stands, once something readable comes after them: at the very end they
        are what a power cut leaves.

        Raises:
            DataError: there is no file in the journal's place, or it may not be read.
        """
        events: list[AnyEvent] = []
        for line in self._lines.read_new():
            if isinstance(line, BadLine):
                self._unreadable = self._unreadable or LineDamaged(line=line.number, reason=line.reason)
                continue
            if self._unreadable:
                events.append(self._unreadable)
                self._unreadable = None
            events.append(line)
            self._begun = True
        if self._unreadable and not self._begun:  # nothing in it is a journal
            events.append(self._unreadable)
            self._unreadable = None
        return events


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


class _Tagged(msgspec.Struct):
    type: str


_events: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_tags = msgspec.json.Decoder(_Tagged)
_known_types = frozenset(event.__struct_config__.tag for event in get_args(AnyEvent))


def _decode_event(line: bytes) -> AnyEvent | None:
    try:
        return _events.decode(line)
    except msgspec.ValidationError:
        if _tags.decode(line).type not in _known_types:
            return None
        raise
