"""What the screens know of a run: one immutable value."""

import re

import msgspec

from cifartui.text import clock
from cifartui.training.history import RunHistory
from cifartui.training.run import Run, RunState

MARKS: dict[RunState, str] = {
    "queued": "…",
    "starting": "…",
    "running": "●",
    "paused": "‖",
    "evaluating": "●",
    "saving": "●",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
    "interrupted": "✗",
}


class RunView(msgspec.Struct, frozen=True):
    """A run and what its journal says so far."""

    run: Run
    history: RunHistory = RunHistory()
    state: RunState = "queued"
    problem: str | None = None
    """Why the journal can be read no further, in a sentence."""

    @property
    def short_id(self) -> str:
        """The id without its date."""
        return short_id(self.run.id)

    @property
    def status(self) -> str:
        """State and progress in a few words, for the line on top."""
        if self.problem:
            return "✗ damaged"
        mark = MARKS[self.state]
        if self.state in ("running", "evaluating", "saving"):
            left = self.history.seconds_left
            return f"{mark} {self.history.fraction:.0%}" + (f" {clock(left)} left" if left is not None else "")
        if self.state == "paused":
            return f"{mark} paused {self.history.fraction:.0%}"
        return f"{mark} {self.state}"


def short_id(name: str) -> str:
    """A run's or checkpoint's id without its date: `tutorial-k3f`, `tutorial-k3f@12500`; other names as they are."""
    return re.sub(r"^\d{8}-\d{4}-", "", name)
