"""Heavy work in a child process: one of the program's own commands, answering in JSON.

Whatever needs torch, or opens files from outside, runs there and not among the screens.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

import msgspec

from cifartui.errors import CifartuiError
from cifartui.progress import Progress

CANCEL_SECONDS = 2.0
"""For what an interrupted command has to put away; it is killed afterwards."""


class ChildCommand:
    """A `cifartui` command in a process group of its own; both of its pipes are read from the start."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cifartui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout
        assert self._process.stderr
        self._output = _drained(self._process.stdout)
        self._reports = _drained(self._process.stderr)
        self._complaint = "The work was cut short."

    def progress(self) -> Iterator[Progress]:
        """Yield the command's progress until it ends."""
        decoder = msgspec.json.Decoder(Progress)
        for line in self._reports:
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError:
                self._complaint = line.decode(errors="replace").strip().removeprefix("cifartui: ")

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the command's output as they come, until it ends.

        Raises:
            CifartuiError: the command failed; the sentence is its own.
        """
        yield from self._output
        self.result()

    def result(self) -> bytes:
        """The last line of the command's output that was not read yet, once it has ended.

        Raises:
            CifartuiError: the command failed; the sentence is its own.
        """
        for _ in self.progress():
            pass
        last = b""
        for line in self._output:
            last = line
        if self._process.wait():
            raise CifartuiError(self._complaint)
        return last.strip()

    def cancel(self) -> None:
        """Interrupt the command and whatever it started; what it was writing is not there afterwards."""
        if self._process.poll() is None:
            self._signal(signal.SIGINT)
            threading.Thread(target=self._insist, name="end a command").start()

    def _insist(self) -> None:
        try:
            self._process.wait(CANCEL_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _drained(pipe: IO[bytes]) -> Iterator[bytes]:
    """The lines of a pipe, read by a thread as they come, so that the writer never waits for the reader."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def drain() -> None:
        with pipe:
            for line in pipe:
                lines.put(line)
        lines.put(b"")

    threading.Thread(target=drain, name="drain a pipe", daemon=True).start()
    return iter(lines.get, b"")
