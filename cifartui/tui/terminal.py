"""The terminal of the screens: one that is lost, stalls, or is taken away by a shell for a while; what it can draw."""

import os
import select
import signal
import termios
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any, TextIO, cast

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from cifartui.tui.graphics.ability import AnswerParser, Asking, Question

LEAVE = b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""What the library writes at the end: paste, wrapping, mouse, keyboard, screen, cursor and focus as they were."""
GIVE_BACK_TRIES, GIVE_BACK_SECONDS = 20, 0.005
"""How often a full terminal is emptied, and how long the library's thread then has to write the rest of its frame."""

WAKING_SECONDS = 0.02
"""After which what a shell sent together with SIGCONT, which may be SIGTERM, was taken by whichever thread."""


class Output:
    """A terminal's file; what is written to one that is lost, or given back, goes nowhere, and nothing waits for it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.is_over = False
        """Whether nothing is written any more."""

    def write(self, text: str) -> None:
        """Write a text, as long as there is a terminal."""
        with suppress(OSError):
            if not self.is_over:
                self._file.write(text)

    def flush(self) -> None:
        """Have it written."""
        with suppress(OSError):
            if not self.is_over:
                self._file.flush()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Textual's own, which in 8.2.8 spins on a terminal that hung up and starts twice after a SIGSTOP."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._output = Output(cast(TextIO, self._file))
        self._file = cast(Any, self._output)  # all that the library's thread asks of a file
        self._has_terminal = self._is_waking = self._is_woken = self._is_ending = False
        self._question = Question()
        threading.Thread(target=self._watch, name="terminal-watch", daemon=True).start()

    def start_application_mode(self) -> None:
        """Take the terminal; it has it afterwards unless the program is in the background, where it is stopped."""
        self._writer_thread = None
        super().start_application_mode()  # type: ignore[no-untyped-call]  # the library gives it no types
        self._has_terminal = self._writer_thread is not None

    def ask_what_it_draws(self) -> None:
        """Ask whether the terminal draws real pixels; `GraphicsFound` reaches the app if it does."""
        self.write(self._question.first())
        self.flush()

    def run_input_thread(self) -> None:
        """Read keys, and answers of the terminal."""
        linux_driver.XTermParser = partial(AnswerParser, self._question)  # type: ignore[assignment,attr-defined]  # not the library's own class
        super().run_input_thread()

    def process_message(self, message: Message) -> None:
        """Pass on what was read, but for what the terminal is to be asked next."""
        if isinstance(message, Asking):
            self.write(message.question)
            self.flush()
        else:
            super().process_message(message)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was; the library reads and drops what answers came meanwhile."""
        if self._has_terminal:
            self._question.wait()
            super().stop_application_mode()
            self._has_terminal = False

    def end(self) -> None:
        """Take the terminal no more; giving it back does not stop a program in the background. In the main thread."""
        self._is_ending = True
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    def give_back(self) -> None:
        """Give a terminal back that takes no more output, without waiting for it; nothing can be drawn afterwards."""
        self._output.is_over = True
        writer = self._writer_thread
        if not (writer and writer.ident and writer.is_alive()):  # a shell has it already
            return
        with suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            terminal = os.open(os.ttyname(self.fileno), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            for _ in range(GIVE_BACK_TRIES):
                termios.tcflush(terminal, termios.TCOFLUSH)
                if writer.is_alive():  # waiting for room, it wakes only for a signal
                    signal.pthread_kill(writer.ident, signal.SIGTERM)
                time.sleep(GIVE_BACK_SECONDS)
                with suppress(BlockingIOError):
                    if os.write(terminal, LEAVE) == len(LEAVE):
                        return

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again, whatever a shell did to it; a SIGSTOP came without a word.

        In the background, to take it stops the program once more, which is then woken in the midst of this.
        """
        time.sleep(WAKING_SECONDS)
        if self._is_ending or not self._auto_restart:
            return
        self._is_woken = True
        if self._is_waking:
            return
        self._is_waking = True
        try:
            while self._is_woken:
                self._is_woken = False
                if self._has_terminal:
                    self.suspend_application_mode()
                self._must_signal_resume = True  # so that all is drawn again
                self.resume_application_mode()
        finally:
            self._is_waking = False

    def _watch(self) -> None:
        """Wait for the terminal to hang up, and tell it by the signal of the same name, which the system may not send.

        It sends none to a program that has no controlling terminal, or ignores it as `nohup` makes it.
        """
        terminal = select.poll()
        terminal.register(self.fileno, 0)
        if any(happened & (select.POLLHUP | select.POLLERR) for _, happened in terminal.poll()):
            os.kill(os.getpid(), signal.SIGHUP)
