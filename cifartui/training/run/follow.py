"""Following a run through its folder, from any process, while it lives and after."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from cifartui.errors import CifartuiError, explain
from cifartui.files import open_file
from cifartui.text import printable
from cifartui.training.run.controls import STOP_BY_SIGNAL, AnyControl, Stop, send
from cifartui.training.run.events import AnyEvent, ControlAcknowledged, ControlDone, ControlRefused, RunFinished, Warned
from cifartui.training.run.folder import Run
from cifartui.training.run.history import RunHistory
from cifartui.training.run.index import HistoryReader
from cifartui.training.run.states import LIVING, RunState, stalled_seconds, state_of

POLL_SECONDS = 0.1
ACKNOWLEDGE_SECONDS = 10.0
"""Longer than any save or validation batch; a run that is still loading torch answers later than this."""
FULL_BYTES = 1_000_000
"""A disk with less free is called full."""
LONG_READING = 4 * 1024 * 1024
"""Bytes of a journal after whose reading a reader leaves an index for the next."""
LAST_WORDS = 4_096
"""Bytes of a host's log in which its last line is looked for."""

Answer = TypeVar("Answer", ControlAcknowledged, ControlDone)


class Reading(NamedTuple):
    """What a look at a run's folder found."""

    events: list[AnyEvent]
    """New ones."""
    history: RunHistory
    state: RunState
    stalled_seconds: float | None
    """For how long a living run has told nothing, where that is longer than it should be; else None."""
    caught_up: bool
    """Whether that is all; else more of the journal follows at once, and the state is not known for certain."""


def follow(
    run: Run, *, first: int | None = None, host: "subprocess.Popen[bytes] | None" = None, to_its_end: bool = True
) -> Iterator[Reading]:
    """Look at a run about ten times a second, until it does not live and its whole journal was read.

    The events given are those from number `first` on; by default those written after the first look, which begins
    with the index of a long journal. A `host` that was started and has not taken the run up yet counts as living.
    Not `to_its_end`, it goes on for ever, since a run that has ended can be taken up again.

    Raises:
        DataError: there is no file in the journal's place.
    """
    reader = HistoryReader(run, first=first)
    is_first_look = True
    while True:
        carried = run.is_carried()  # asked before reading, so that nothing written last is missed
        events = reader.read_new()
        state = state_of(run, reader.history, carried=carried)
        if host and state in LIVING:
            host = None
        elif host and host.poll() is None:
            state = "starting"
        if first is None:
            events = [] if is_first_look else events
        elif first:
            events = [event for event in events if event.seq >= first]
        yield Reading(events, reader.history, state, stalled_seconds(reader.history, state), reader.caught_up)
        if not reader.caught_up:
            continue
        if is_first_look:
            reader.keep_index(LONG_READING)
        is_first_look = False
        if to_its_end and state not in LIVING:
            return
        time.sleep(POLL_SECONDS)


def read_history(run: Run) -> tuple[RunHistory, RunState]:
    """What the journal says now, and the run's state.

    Raises:
        DataError: there is no file in the journal's place.
    """
    carried = run.is_carried()
    reader = HistoryReader(run)
    reader.read_on()
    reader.keep_index(LONG_READING)
    return reader.history, state_of(run, reader.history, carried=carried)


def command(run: Run, what: AnyControl) -> ControlAcknowledged | RunFinished:
    """Command a living run and wait until its journal acknowledges it, or says that the run ended first.

    Raises:
        CifartuiError: the run does not live, cannot be told, refuses it, or does not answer.
    """
    return _command(run, what, ControlAcknowledged)


def command_and_wait(run: Run, what: AnyControl) -> ControlDone | RunFinished:
    """Command a living run and wait until what it asks for is done, or the run ended first.

    Raises:
        CifartuiError: the run does not live, cannot be told, refuses it, does not answer, or stands still.
    """
    return _command(run, what, ControlDone)


def _command(run: Run, what: AnyControl, answer: type[Answer]) -> Answer | RunFinished:
    history, state = read_history(run)
    if state not in LIVING:
        raise CifartuiError(f"Run {run.id} is {state}; there is nothing to {what.command}.")
    control = tell(run, history, what)
    deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
    is_taken = False
    for reading in follow(run, first=history.length):
        for event in reading.events:
            match event:
                case RunFinished():
                    return event
                case ControlRefused() if event.control == control.id:
                    raise CifartuiError(event.reason)
                case ControlAcknowledged() | ControlDone() if event.control == control.id:
                    is_taken = True
                    if isinstance(event, answer):
                        return event
        if is_taken and reading.stalled_seconds is not None:
            raise CifartuiError(why_stalled(run, reading.history, reading.stalled_seconds))
        if not is_taken and time.monotonic() > deadline:
            raise CifartuiError(f"{_why_silent(run, ACKNOWLEDGE_SECONDS)} It will {what.command} when it comes to it.")
    raise CifartuiError(why_interrupted(run))


def outcome_of_stop(run: Run, taken: ControlAcknowledged | ControlDone) -> RunFinished | Warned | None:
    """What came of a stop that was taken: the run's end, or a warning that it waits; None if neither came in time."""
    deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
    for reading in follow(run, first=taken.seq + 1):
        for event in reading.events:
            if isinstance(event, RunFinished | Warned):
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
    """A sentence about a living run that has told nothing for so long, see `stalled_seconds`."""
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
