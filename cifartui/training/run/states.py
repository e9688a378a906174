"""The states of a run, derived from its journal and its lock, never stored."""

import time
from typing import Literal

from cifartui.training.run.folder import Run
from cifartui.training.run.history import RunHistory

RunState = Literal[
    "queued", "starting", "running", "paused", "evaluating", "saving", "finished", "stopped", "failed", "interrupted"
]
LIVING: frozenset[RunState] = frozenset({"queued", "starting", "running", "paused", "evaluating", "saving"})
QUIET_SECONDS: dict[RunState, float] = {"running": 5.0, "evaluating": 60.0, "saving": 60.0}
"""A run that tells nothing for longer is held up, unless its reports come as slowly as that."""
QUIET_REPORTS = 20
"""So many times the usual time between two reports."""


def state_of(run: Run, history: RunHistory, *, carried: bool | None = None) -> RunState:
    """The state of a run with this history; `carried` is whether a process held it when the history was read."""
    if history.finished:
        return history.finished.reason
    if run.is_carried() if carried is None else carried:
        return history.changed.state if history.changed else "starting"
    return "queued" if history.changed is None and run.is_about_to_start() else "interrupted"


def stalled_seconds(history: RunHistory, state: RunState, now: float | None = None) -> float | None:
    """For how long a run in this state has told nothing, where that is longer than it should be; else None.

    `now` is in Unix seconds. Its process is held, the machine asleep or the disk full.
    """
    if state not in QUIET_SECONDS or not history.heard or (state == "saving" and history.warning):
        return None  # the last: it waits for room on the disk and has said so
    quiet = (time.time() if now is None else now) - history.heard
    return quiet if quiet > max(QUIET_SECONDS[state], QUIET_REPORTS * history.report_seconds) else None
