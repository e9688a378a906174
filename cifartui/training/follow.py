"""Following a run through its folder, from any process, while it lives and after."""

import shutil
import time
from collections.abc import Iterator

from cifartui.errors import CifartuiError
from cifartui.training.controls import Command, send
from cifartui.training.events import AnyEvent, ControlAcknowledged, RunFinished, StateChanged
from cifartui.training.history import RunHistory, fold
from cifartui.training.journal import journal_reader
from cifartui.training.run import LIVING, Run, RunState, last_events

POLL_SECONDS = 0.1
ACKNOWLEDGE_SECONDS = 10.0
"""Longer than any save or validation batch; a run that is still loading torch answers later than this."""


def follow(run: Run) -> Iterator[list[AnyEvent]]:
    """Yield the journal's new events about ten times a second until the run has ended; the list may be empty.

    Raises:
        DataError: the journal is damaged.
    """
    reader = journal_reader(run.journal_file)
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
        DataError: the journal is damaged.
    """
    history = fold(RunHistory(), journal_reader(run.journal_file).read_new())
    return history, run.state(history.finished, history.changed)


def command(run: Run, what: Command) -> ControlAcknowledged | RunFinished:
    """Command a living run and wait until its journal acknowledges it, or says that the run ended first.

    Raises:
        CifartuiError: the run does not live, or does not answer.
    """
    state = run.state(*last_events(run))
    if state not in LIVING:
        raise CifartuiError(f"Run {run.id} is {state}; there is nothing to {what}.")
    control = send(run.controls_file, what)
    deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
    for events in follow(run):
        for event in events:
            if isinstance(event, RunFinished):
                return event
            if isinstance(event, ControlAcknowledged) and event.control == control.id:
                return event
        if time.monotonic() > deadline:
            raise CifartuiError(
                f"Run {run.id} has not answered for {ACKNOWLEDGE_SECONDS:.0f} s; "
                "it will obey when it comes to it, see `cifartui runs show`."
            )
    raise CifartuiError(why_interrupted(run))


def why_interrupted(run: Run) -> str:
    """A sentence about a run whose process is gone without a last event."""
    try:
        last_words = run.host_log.read_text(errors="replace").strip().rpartition("\n")[2]
    except OSError:
        last_words = ""
    if last_words.startswith("cifartui: "):
        return f"Run {run.id} was interrupted: {last_words.removeprefix('cifartui: ')}"
    if shutil.disk_usage(run.folder).free < 1_000_000:
        return f"Run {run.id} was interrupted: the disk of {run.folder} is full; free some space."
    return f"Run {run.id} was interrupted: its process was ended from outside; {run.host_log} may say more."
