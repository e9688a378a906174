"""Following a run through its folder, from any process, while it lives and after."""

import os
import shutil
import signal
import time
from collections.abc import Iterator

from cifartui.errors import CifartuiError, explain
from cifartui.files import open_file
from cifartui.text import printable
from cifartui.training.run.controls import STOP_BY_SIGNAL, AnyControl, Stop, send
from cifartui.training.run.events import AnyEvent, ControlAcknowledged, RunFinished, StateChanged, Warned
from cifartui.training.run.folder import LIVING, Run, RunState
from cifartui.training.run.history import RunHistory, fold
from cifartui.training.run.journal import JournalReader

POLL_SECONDS = 0.1
ACKNOWLEDGE_SECONDS = 10.0
"""Longer than any save or validation batch; a run that is still loading torch answers later than this."""
FULL_BYTES = 1_000_000
"""A disk with less free is called full."""
LAST_WORDS = 4_096
"""Bytes of a host's log in which its last line is looked for."""


def follow(run: Run) -> Iterator[list[AnyEvent]]:
    """Yield the journal's new events about ten times a second until the run has ended; the list may be empty.

    Raises:
        DataError: there is no file in the journal's place.
    """
    reader = JournalReader(run.journal_file)
    finished: RunFinished | None = None
    changed: StateChanged | None = None
    while True:
        living = run.state(finished, changed) in LIVING  # asked before reading, so that nothing written last is missed
        events = reader.read_new()
        yield events
        for event in events:
            if isinstance(event, RunFinished):
                return
            if isinstance(event, StateChanged):
                changed = event
        if not living:
            return
        time.sleep(POLL_SECONDS)


def read_history(run: Run) -> tuple[RunHistory, RunState]:
    """What the journal says now, and the run's state.

    Raises:
        DataError: there is no file in the journal's place.
    """
    history = fold(RunHistory(), JournalReader(run.journal_file).read_new())
    return history, run.state(history.finished, history.changed)


def command(run: Run, what: AnyControl) -> ControlAcknowledged | RunFinished:
    """Command a living run and wait until its journal acknowledges it, or says that the run ended first.

    Raises:
        CifartuiError: the run does not live, cannot be told, or does not answer.
    """
    history, state = read_history(run)
    if state not in LIVING:
        raise CifartuiError(f"Run {run.id} is {state}; there is nothing to {what.command}.")
    control = tell(run, history, what)
    deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
    for events in follow(run):
        for event in events:
            if isinstance(event, RunFinished):
                return event
            if isinstance(event, ControlAcknowledged) and event.control == control.id:
                return event
        if time.monotonic() > deadline:
            raise CifartuiError(f"{_why_silent(run, ACKNOWLEDGE_SECONDS)} It will {what.command} when it comes to it.")
    raise CifartuiError(why_interrupted(run))


def outcome_of_stop(run: Run, taken: ControlAcknowledged) -> RunFinished | Warned | None:
    """What came of a stop that was taken: the run's end, or a warning that it waits; None if neither came in time."""
    deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
    for events in follow(run):
        for event in events:
            if isinstance(event, RunFinished | Warned) and event.seq > taken.seq:
                return event
        if time.monotonic() > deadline:
            break
    return None


def tell(run: Run, history: RunHistory, what: AnyControl) -> AnyControl:
    """Send a command to a living run, without waiting for an answer.

    On a full disk, where no command can be written, the signal that means the same stops it.

    Raises:
        CifartuiError: it cannot be told.
    """
    try:
        return send(run.controls_file, what)
    except OSError as error:
        if isinstance(what, Stop) and history.started and run.is_carried():
            os.kill(history.started.host_pid, signal.SIGTERM)
            return STOP_BY_SIGNAL
        raise CifartuiError(f"Run {run.id} cannot be told to {what.command}: {explain(error)}") from error


def why_stalled(run: Run, history: RunHistory, seconds: float) -> str:
    """A sentence about a living run that has told nothing for so long, see `RunHistory.stalled_seconds`."""
    pid = history.started.host_pid if history.started else None
    if _is_full(run):
        return _why_silent(run, seconds)
    if pid and _is_suspended(pid):
        return (
            f"Run {run.id} has taken no step for {seconds:.0f} s: its process {pid} was suspended; "
            f"`kill -CONT {pid}` lets it go on."
        )
    return f"Run {run.id} has taken no step for {seconds:.0f} s: its machine is busy or was asleep."


def _why_silent(run: Run, seconds: float) -> str:
    if _is_full(run):
        return (
            f"Run {run.id} has told nothing for {seconds:.0f} s: the disk of {run.folder} is full; "
            "it goes on meanwhile, free some space."
        )
    return f"Run {run.id} has not answered for {seconds:.0f} s, see `cifartui runs show`."


def _is_full(run: Run) -> bool:
    try:
        return shutil.disk_usage(run.folder).free < FULL_BYTES
    except OSError:
        return False


def _is_suspended(pid: int) -> bool:
    """Whether a process on this machine stands still since a SIGSTOP; False where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


def why_interrupted(run: Run) -> str:
    """A sentence about a run whose process is gone without a last event."""
    if not run.folder.is_dir():
        return f"Run {run.id} is not at its place any more: its folder {run.folder} was moved or removed."
    try:
        with open_file(run.host_log) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_WORDS))
            last_words = printable(file.read().decode(errors="replace").strip().rpartition("\n")[2])
    except OSError:
        last_words = ""
    if last_words.startswith("cifartui: "):
        return f"Run {run.id} was interrupted: {last_words.removeprefix('cifartui: ')}"
    if _is_full(run):
        return f"Run {run.id} was interrupted: the disk of {run.folder} is full; free some space."
    return f"Run {run.id} was interrupted: its process was ended from outside; {run.host_log} may say more."
