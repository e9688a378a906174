"""The journal of a run: append-only JSON lines, numbered, flushed; a torn or unreadable end is no part of it."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, get_args

import msgspec

from cifartui.errors import obstacle
from cifartui.files import open_file
from cifartui.training.run.events import AnyEvent, LineDamaged, LossLogged, StepsReported, Warned
from cifartui.training.run.lines import BEGINNING, BLANKS, PIECE_BYTES, BadLine, LineReader, Place, append_line

RETRY_SECONDS = 0.5
"""Between two tries to write what a full disk did not take."""
WAITING_EVENTS = 1_000
"""As many events wait for a full disk; of more, progress reports are dropped first, then log lines, oldest first."""
TAIL_BYTES = 64 * 1024
"""Read at once when the last readable line is looked for."""

_encoder = msgspec.json.Encoder()


class Journal:
    """The writing end; the process that holds the run's lock has it.

    A journal that is there goes on: the numbers follow those of its last readable line, and what stands behind that
    (a torn line, the zero bytes of a power cut) is cut off.

    What cannot be written (the disk is full) waits in memory and is tried again, so that the caller goes on; when it
    is written at last, a warning tells for how long it was not.
    """

    def __init__(self, path: Path) -> None:
        """Open a journal or begin one.

        Raises:
            OSError: it cannot be read and written, or something else is in its place.
        """
        end, self._next_seq = _readable_end(path)
        self._file = path.open("ab", buffering=0)
        os.ftruncate(self._file.fileno(), end)
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
                self._held_up_since = self._held_up_since or time.monotonic()
                if len(self._waiting) > WAITING_EVENTS:
                    self._drop_one()
                return
            self._next_seq += 1
            self._waiting.popleft()
            if self._held_up_since and not self._waiting:
                seconds, self._held_up_since = time.monotonic() - self._held_up_since, None
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


class JournalReader:
    """The reading end of a run's journal."""

    def __init__(self, path: Path, start: Place = BEGINNING) -> None:
        self._lines: LineReader[AnyEvent] = LineReader(path, _decode_event, start)
        self._unreadable: BadLine | None = None
        self._told_unreadable = False

    @property
    def place(self) -> Place:
        """Behind the last line that could be read."""
        return self._lines.good

    @property
    def caught_up(self) -> bool:
        """Whether nothing was left to read at the last call."""
        return self._lines.caught_up

    def read_new(self) -> list[AnyEvent]:
        """Return the next events written since the last call, some MiB of them at most.

        Those of a newer version of the program are passed over. For unreadable lines a `LineDamaged` stands, once
        something readable comes after them: at the very end they are what a power cut leaves, and cut off when the
        journal goes on.

        Raises:
            DataError: there is no file in the journal's place, or it may not be read.
        """
        if self._lines.caught_up:  # what stands behind the last good line may have been cut off
            self._lines.go_back(self._lines.good)
            self._unreadable = None
        events: list[AnyEvent] = []
        for line in self._lines.read_new():
            if isinstance(line, BadLine):
                self._unreadable = self._unreadable or line
                continue
            if self._unreadable:
                events.append(_damage(self._unreadable))
                self._unreadable = None
            events.append(line)
        if self._unreadable and not self.place.offset and not self._told_unreadable:  # nothing in it is a journal
            events.append(_damage(self._unreadable))
            self._told_unreadable = True
        return events


class _Tagged(msgspec.Struct):
    type: str
    seq: int = -1


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


def _damage(line: BadLine) -> LineDamaged:
    return LineDamaged(line=line.number, reason=line.reason)


def _readable_end(path: Path) -> tuple[int, int]:
    """Where the last readable line of a journal ends, and the number after its own; zeros where there is none."""
    try:
        with open_file(path) as file:
            return _last_line(file)
    except FileNotFoundError:
        return 0, 0


def _last_line(file: BinaryIO) -> tuple[int, int]:
    """Look for it from the end, block by block."""
    begin = file.seek(0, os.SEEK_END)
    unfinished = b""  # the end of a line that begins in an earlier block
    while begin:
        length = min(begin, TAIL_BYTES)
        begin -= length
        file.seek(begin)
        block = file.read(length) + unfinished
        first = 0 if begin == 0 else block.find(b"\n") + 1
        end = begin + len(block)
        for line in reversed(block[first:].split(b"\n")):
            is_whole = end < begin + len(block)
            seq = _seq(line) if is_whole else None
            if seq is not None:
                return end + 1, seq + 1
            end -= len(line) + 1
        unfinished = block[:first] if first else block
        if len(unfinished) > PIECE_BYTES:  # no line of ours
            unfinished = b""
    return 0, 0


def _seq(line: bytes) -> int | None:
    """The number of a line, if it can be read and has one."""
    content = line.strip(BLANKS)
    try:
        event = _decode_event(content)
        seq = _tags.decode(content).seq if event is None else event.seq
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return seq if seq >= 0 else None
