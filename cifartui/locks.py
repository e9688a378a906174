"""Locks on files: held by one process while it lives, seen by all."""

import fcntl
import os
import time
from pathlib import Path

LOOK_SECONDS = 0.5
"""A look at a lock holds it for an instant; so long is waited for others to have looked."""

_held: set[int] = set()


def hold(descriptor: int) -> bool:
    """Lock an open file for this process and none of its children, until `let_go`; False if another process has it."""
    deadline = time.monotonic() + LOOK_SECONDS
    while not _try(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    _held.add(descriptor)
    return True


def let_go(descriptor: int) -> None:
    """Close a file, and unlock it if it was held."""
    _held.discard(descriptor)
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock on a file; nobody does if there is none.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe is not waited for
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leave_to_parent() -> None:
    """Close in a forked child what its parent holds: a DataLoader's worker outlives a killed parent by seconds."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_leave_to_parent)
