"""Leaving the screens: by a signal, whatever the terminal does; and what the shell is told while a run lives."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from functools import partial

from textual.app import App

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.training.run.folder import living_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.states import LIVING
from cifartui.tui.terminal import TerminalDriver
from cifartui.tui.view import RunView

LEAVE_SECONDS = 0.7
"""After a signal, Textual waits for ever to hand its last lines to a terminal that takes none."""


class SignalledEnd:
    """Ends the screens when a signal says so: tidily, or after a while without waiting for their terminal."""

    def __init__(self, app: App[None], put_away: Callable[[], None]) -> None:
        """`put_away` is called first, in the handler of the signal."""
        self._app, self._put_away = app, put_away
        self._at_last: threading.Timer | None = None

    def listen(self) -> None:
        """Take SIGHUP and SIGTERM; in the loop that the screens run in."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, partial(self._begin, asyncio.get_running_loop()))

    def came(self) -> None:
        """The screens ended tidily; if what ends them at last has begun, Python waits for that thread to do it."""
        if self._at_last:
            self._at_last.cancel()

    def _begin(self, loop: asyncio.AbstractEventLoop, number: int, _frame: object) -> None:
        if self._at_last:
            return
        if isinstance(self._app._driver, TerminalDriver):
            self._app._driver.end()
        self._put_away()
        self._at_last = threading.Timer(LEAVE_SECONDS, self._end_without_waiting, [128 + number])
        self._at_last.start()
        loop.call_soon_threadsafe(partial(self._app.exit, return_code=128 + number))

    def _end_without_waiting(self, code: int) -> None:
        if isinstance(self._app._driver, TerminalDriver):
            self._app._driver.give_back()
        os._exit(code)


def farewell(view: RunView | None) -> str:
    """The run in view, or another that lives, and the commands to see and to end it, in lines; empty if none lives."""
    if view is None or view.state not in LIVING:
        view = _living()
    if view is None or view.state not in LIVING:
        return ""
    run = printable(view.short_id)
    how = "is paused" if view.state == "paused" else "goes on"
    return (
        f"Run {run} {how} ({view.history.fraction:.0%}).\n"
        "  see it again:  cifartui\n"
        f"  end it:        cifartui runs stop {run}"
    )


def _living() -> RunView | None:
    try:
        run = living_run()
        return RunView(run, *read_history(run)) if run else None
    except (CifartuiError, OSError):  # nothing may keep the screens from ending
        return None
