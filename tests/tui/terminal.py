"""The program under a real pseudo-terminal, and what a person would see on it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable

import pyte

LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHELL = ("-c", "import os; os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])")
"""A program for a terminal: the shell that people have, without what they set up for it."""
CONTROLS = re.compile(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[=>78]|\r")


class Terminal:
    """`cifartui` started in a terminal of its own session, as a login shell would start it."""

    def __init__(
        self,
        columns: int = 80,
        lines: int = 24,
        term: str = "xterm-256color",
        *,
        emulated: bool = True,
        hangs_up: bool = True,
        bytes_per_second: int | None = None,
        program: tuple[str, ...] = ("-m", "cifartui"),
    ) -> None:
        """Start it, or another Python program; not `emulated`, only its raw output is kept, which costs no time that is
        being measured; not `hangs_up`, the system sends no signal when the terminal is lost; with `bytes_per_second`
        it takes no more than these, as a slow line.
        """
        self._bytes_per_second = bytes_per_second
        self._emulated = emulated
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._changing = threading.Lock()
        self._raw = bytearray()
        self._closing = threading.Event()
        self.descriptor, slave = pty.openpty()
        self._name = os.ttyname(slave)
        self.settings = termios.tcgetattr(slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, *program],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"TERM": term, "TEXTUAL_COLOR_SYSTEM": "auto"},
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if hangs_up else None,
        )
        os.close(slave)
        self.read()

    @property
    def text(self) -> str:
        """What stands on the screen."""
        with self._changing:
            return "\n".join(self._screen.display)

    @property
    def output(self) -> bytes:
        """Every byte written to the terminal so far."""
        with self._changing:
            return bytes(self._raw)

    @property
    def written(self) -> int:
        """How many bytes were written to the terminal so far."""
        return len(self._raw)

    def output_since(self, position: int) -> bytes:
        """What was written after the first `position` bytes."""
        with self._changing:
            return bytes(self._raw[position:])

    def press(self, *keys: str) -> None:
        """Type keys, each given as the characters it sends."""
        for key in keys:
            os.write(self.descriptor, key.encode())
            time.sleep(0.05)  # so that an escape is not taken for the start of a sequence

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, as a window manager does."""
        with self._changing:
            self._screen.resize(lines, columns)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def after_screens(self) -> str:
        """What was written after the screens gave the terminal back, without control sequences."""
        return CONTROLS.sub("", self.output.rpartition(LEAVE_ALTERNATE_SCREEN)[2].decode(errors="replace"))

    def wait_for(self, *texts: str, seconds: float = 60) -> str:
        """Wait until all texts are on the screen; return all of it."""
        self.wait_until(lambda: all(text in self.text for text in texts), seconds)
        return self.text

    def wait_until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s:\n{self.text}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the program as `kill -9` would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> int:
        """Take the terminal away, as a lost connection does; return the program's exit code."""
        self.take_away()
        return self.process.wait(timeout=20)

    def take_away(self) -> None:
        """Take the terminal away, and do not wait for what the program does."""
        self._stop_reading()  # a read under way would keep the terminal open
        os.close(self.descriptor)

    def read(self) -> None:
        """Read what the program writes, from the start or again after it was stalled."""
        self._closing.clear()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stall(self) -> None:
        """Take nothing more that the program writes, as a connection that is only half there."""
        self._stop_reading()
        other = os.open(self._name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            while True:  # until the system keeps no more for it
                os.write(other, bytes(4_096))
        except BlockingIOError:
            pass
        finally:
            os.close(other)

    @property
    def cpu_seconds(self) -> float:
        """The time that the program had a core so far."""
        with open(f"/proc/{self.process.pid}/stat", "rb") as file:
            user, system = file.read().rpartition(b")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def _most_bytes(self) -> int:
        """That are read at once: over a slow line what comes in a twentieth of a second."""
        return max(1, self._bytes_per_second // 20) if self._bytes_per_second else 65_536

    def _stop_reading(self) -> None:
        self._closing.set()
        self._reader.join()

    def _read(self) -> None:
        while not self._closing.is_set():
            if not select.select([self.descriptor], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.descriptor, self._most_bytes)
            except OSError:  # the terminal is closed
                return
            with self._changing:
                self._raw += data
                if self._emulated:
                    self._stream.feed(data)
            if self._bytes_per_second:
                time.sleep(len(data) / self._bytes_per_second)
