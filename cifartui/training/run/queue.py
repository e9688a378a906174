"""The queue: one order for all runs of a home, so that they train one after the other.

A run's ticket is a file in the home's folder `queue`, named by its number and the run's id and locked by the host that
carries the run while that lives; a ticket which nobody holds is that of a dead host and counts for nothing. Numbers are
given out under a lock on the folder, so their order is the order of arrival, whatever the clock says.
"""

import fcntl
import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cifartui import locks
from cifartui.errors import CifartuiError, explain
from cifartui.home import queue_folder
from cifartui.training.run.controls import ControlInbox, Stop
from cifartui.training.run.events import (
    AnyEvent,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    Queued,
    RunFinished,
    StateChanged,
    Warned,
)
from cifartui.training.run.folder import Run

POLL_SECONDS = 0.2
MOST_POLLS = 10
"""Polls between two looks at the queue, at most."""
_NAME = re.compile(r"([0-9]+)-(.+)", re.ASCII | re.DOTALL)


class Ticket(NamedTuple):
    """A place in the queue."""

    number: int
    run: str
    """The run's id."""
    path: Path

    @property
    def is_held(self) -> bool:
        """Whether the host that took it lives."""
        return locks.is_held(self.path)


def queue_of_home() -> tuple[str, ...]:
    """The ids of the runs that train or wait for it, in order; those started with `--now` train out of turn."""
    return tuple(ticket.run for ticket in _tickets() if ticket.is_held)


def wait_for_turn(run: Run, inbox: ControlInbox, *, now: bool) -> Generator[AnyEvent, None, bool]:
    """Take a place in the queue, kept until this process ends, and wait until all runs ahead have ended.

    Yields who is ahead whenever that changes and what came of commands; nothing if nobody is ahead. Returns whether the
    turn came: False after a stop, which ends the run. With `now` a run waits for nobody, and later ones wait for it.

    Raises:
        CifartuiError: the queue cannot be read or written.
    """
    try:
        ticket = _take_ticket(run)
        if not now:
            return (yield from _wait(run, ticket, inbox))
    except OSError as error:
        raise explain(error) from error
    return True


def _wait(run: Run, ticket: Ticket, inbox: ControlInbox) -> Generator[AnyEvent, None, bool]:
    told: tuple[str, ...] = ()
    while ahead := _ahead_of(ticket):
        if ahead != told:
            if not told:
                yield StateChanged(state="queued")
            yield Queued(behind=ahead)
            told = ahead
        for _ in range(min(len(ahead), MOST_POLLS)):  # many waiting hosts that all look at each other keep cores busy
            if (yield from _obey(inbox)):
                yield RunFinished(reason="stopped", message="taken out of the queue, before its turn came")
                return False
            if run.identity() is None:
                yield RunFinished(
                    reason="failed", message=f"{run.folder} was moved or removed while the run waited in the queue."
                )
                return False
            time.sleep(POLL_SECONDS)
    return True


def _obey(inbox: ControlInbox) -> Generator[AnyEvent, None, bool]:
    """Answer the commands that arrived; return whether one of them is to stop."""
    controls, problem = inbox.read_new()
    if problem:
        yield Warned(message=problem)
    for control in controls:
        if isinstance(control, Stop):
            yield ControlAcknowledged(control=control.id, command=control.command, step=0)
            yield ControlDone(control=control.id, command=control.command, step=0)
            return True
        yield ControlRefused(
            control=control.id,
            command=control.command,
            step=0,
            reason="The run waits in the queue and can only be stopped; try again when it trains.",
        )
    return False


def _ahead_of(mine: Ticket) -> tuple[str, ...]:
    """The runs ahead; tickets of dead hosts are removed on the way."""
    earlier = [ticket for ticket in _tickets() if ticket.number < mine.number]
    held = [ticket for ticket in earlier if ticket.is_held]
    if len(held) < len(earlier):
        with _locked_folder():
            _remove_dead()
    return tuple(ticket.run for ticket in held)


def _take_ticket(run: Run) -> Ticket:
    """Make the next ticket and hold it."""
    with _locked_folder() as folder:
        _remove_dead()
        number = max((ticket.number for ticket in _tickets()), default=0) + 1
        ticket = Ticket(number, run.id, folder / f"{number:08d}-{run.id}")
        descriptor = os.open(ticket.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        if not locks.hold(descriptor):
            raise CifartuiError(f"The queue's {ticket.path.name} is locked by another program; end that and try again.")
    return ticket


def _remove_dead() -> None:
    """Remove the tickets of dead hosts; the folder is locked, so that none is looked at before it is held."""
    for ticket in _tickets():
        if not ticket.is_held:
            with suppress(OSError):
                ticket.path.unlink()


def _tickets() -> list[Ticket]:
    """All tickets, in order."""
    folder = queue_folder()
    names = (_NAME.fullmatch(name) for name in os.listdir(folder))
    return sorted(Ticket(int(name[1]), name[2], folder / name[0]) for name in names if name)


@contextmanager
def _locked_folder() -> Iterator[Path]:
    """Hold back all others who would give out or remove tickets, for as little as that takes."""
    folder = queue_folder()
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)  # NFS locks no folder
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
