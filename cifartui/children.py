"""The one way to start a child process and read it: both pipes at once, within limits, ended with all it started.

Whatever needs torch, runs code of the user's own or takes files apart does so in a process of its own, and answers
in lines: the answer on stdout; on stderr how far it is, and a sentence if it fails.
"""

import os
import selectors
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import msgspec

from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.progress import Progress
from cifartui.text import printable

CANCEL_SECONDS = 2.0
"""For what an interrupted child has to put away; it is killed afterwards."""
LOOK_SECONDS = 0.1
"""Between two looks whether a silent child is still there."""
READ_BYTES = 1024**2
"""As many as a pipe can hold, so that one look empties it."""
UNREAD_BYTES = 1024**2
"""Of reports that nobody has read; the oldest are dropped."""
COMPLAINT = "cifartui: "
"""What a sentence that says why begins with."""
CODES: dict[int, type[CifartuiError]] = {error.exit_code: error for error in (CifartuiError, UsageError, DataError)}


class TimeLimitError(CifartuiError):
    """A child took longer than it may."""


class AnswerLimitError(CifartuiError):
    """A child answered more than it may."""


class Child:
    """A module of this program that runs in a process group of its own; one thread reads it, any may cancel it.

    Its end is that of its process. The ends of its pipes are not waited for, as processes that it started may hold
    them open; those are killed then. As a context it is killed where the context is left.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        folder: str | None = None,
        seconds: float | None = None,
        most_bytes: int | None = None,
    ) -> None:
        """Start `python -m module`, in `folder` if it is given.

        It may take so many seconds and a line of its answer so many bytes; without limits it may take what it takes.

        Raises:
            OSError: the folder cannot be entered, or no process be started.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
        )
        self._started, self._seconds, self._most_bytes = monotonic(), seconds, most_bytes
        self._answer, self._reports = _Lines(), _Lines()
        self._complaint = ""
        self._is_over = False
        self._selector = selectors.DefaultSelector()
        for pipe, lines in ((self._process.stdout, self._answer), (self._process.stderr, self._reports)):
            assert pipe
            self._selector.register(pipe, selectors.EVENT_READ, lines)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def exit_code(self) -> int | None:
        """Of its process; minus the number of the signal that ended it, None as long as it runs."""
        return self._process.returncode

    # READING

    def looks(self) -> Iterator[float]:
        """Take in what it writes until it has ended; yields the seconds passed, ten times each or more, and at the end.

        Raises:
            TimeLimitError: it took longer than it may.
            AnswerLimitError: a line of its answer is longer than it may be.
        """
        while not self._is_over:
            self._look()
            if not self._is_over:
                self._require_limits()
                yield self._seconds_passed
        yield self._seconds_passed

    def progress(self) -> Iterator[Progress]:
        """Yield how far it says that it is, until it has ended."""
        decoder = msgspec.json.Decoder(Progress)
        for _ in self.looks():
            while (line := self._reports.next()) is not None:
                if line.startswith(COMPLAINT.encode()):
                    self._complaint = printable(line.decode(errors="replace").removeprefix(COMPLAINT).strip(), 10_000)
                else:
                    with suppress(msgspec.MsgspecError):  # a warning of some library
                        yield decoder.decode(line)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of its answer as they come.

        Raises:
            CifartuiError: it failed; the sentence is its own.
        """
        for _ in self.looks():
            while (line := self.next_line()) is not None:
                yield line
        self.result()

    def next_line(self) -> bytes | None:
        """The next line of its answer, if it was taken in already."""
        return self._answer.next()

    def result(self) -> bytes:
        """The last line of its answer that was not read yet, once it has ended.

        Raises:
            CifartuiError: it failed; the sentence is its own.
        """
        sentence = self.complaint()
        if self.exit_code:
            raise CODES.get(self.exit_code, CifartuiError)(sentence or f"The work was cut short ({self.ending}).")
        last = b""
        while (line := self.next_line()) is not None:
            last = line
        return last

    def complaint(self) -> str:
        """The sentence in which it says why it failed, once it has ended; empty if it gives none."""
        for _ in self.progress():
            pass
        return self._complaint

    @property
    def ending(self) -> str:
        """How its process ended, in words: `exit code 3`, `SIGSEGV, perhaps for lack of memory`."""
        code = self._process.returncode
        if code >= 0:
            return f"exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:  # a real-time signal
            name = f"signal {-code}"
        return f"{name}, perhaps for lack of memory"

    def _look(self) -> None:
        """Take in what it writes within a moment; when its process has ended, take what is left and end the rest."""
        has_ended = self._process.poll() is not None
        if not has_ended and not self._selector.get_map():  # it has closed its pipes and goes on
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_SECONDS)
        for key, _ in self._selector.select(0 if has_ended else LOOK_SECONDS):
            chunk = os.read(key.fd, READ_BYTES)
            key.data.take(chunk)
            if not chunk:
                self._selector.unregister(key.fileobj)
        self._reports.drop_all_but(UNREAD_BYTES)
        if has_ended:
            self.end()

    def _require_limits(self) -> None:
        if self._seconds is not None and self._seconds_passed > self._seconds:
            self.end()
            raise TimeLimitError(f"The work took longer than {self._seconds:g} s and was stopped.")
        if self._most_bytes is not None and self._answer.unfinished > self._most_bytes:
            self.end()
            raise AnswerLimitError(f"The work gave more than {self._most_bytes:,} bytes in one line and was stopped.")

    @property
    def _seconds_passed(self) -> float:
        return monotonic() - self._started

    # ENDING

    def cancel(self) -> None:
        """Interrupt it and whatever it started; what it was writing is not there afterwards."""
        if self._process.poll() is None:
            self._signal(signal.SIGINT)
            threading.Thread(target=self._insist, name="end a child process").start()

    def end(self) -> None:
        """Kill what is left of it and of what it started; what it wrote until then can still be read."""
        if self._is_over:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe, lines in ((self._process.stdout, self._answer), (self._process.stderr, self._reports)):
            assert pipe
            pipe.close()
            lines.take(b"")
        self._is_over = True

    def _insist(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CANCEL_SECONDS)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group, or nobody but the dead
            os.killpg(self._process.pid, number)


class _Lines:
    """What a pipe gave, in lines."""

    def __init__(self) -> None:
        self._whole: deque[bytes] = deque()
        self._rest = bytearray()
        """After the last line's end."""

    @property
    def unfinished(self) -> int:
        """Bytes of the line that has not come to its end."""
        return len(self._rest)

    def take(self, chunk: bytes) -> None:
        """Add what was read; nothing is the end."""
        until, newline, beyond = chunk.rpartition(b"\n")
        if newline:
            self._rest += until
            self._whole.extend(bytes(self._rest).split(b"\n"))
            self._rest = bytearray(beyond)
        elif chunk:
            self._rest += chunk
        elif self._rest:
            self._whole.append(bytes(self._rest))
            self._rest = bytearray()

    def next(self) -> bytes | None:
        """Give the first line that was not given yet; None if there is none by now."""
        return self._whole.popleft() if self._whole else None

    def drop_all_but(self, most_bytes: int) -> None:
        """Drop lines from the first on, until so many bytes are left at most."""
        size = sum(map(len, self._whole))
        while self._whole and size > most_bytes:
            size -= len(self._whole.popleft())
        del self._rest[:-most_bytes]
