"""What the screens know of a run: one immutable value."""

import math
import re

import msgspec

from cifartui.errors import CifartuiError
from cifartui.model.summary import summarize
from cifartui.text import clock
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import Reading, why_stalled
from cifartui.training.run.glimpse import Glimpse
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import RunState
from cifartui.training.verdict import SpeedVerdict, judge_speed

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
    recipe: Recipe | None = None
    """Its settings; None where they cannot be read."""
    guessing: float | None = None
    """The loss of a network that guesses, see `guessing_loss`."""
    glimpse: Glimpse | None = None
    """What its network learned so far; None where no glimpse of that is there."""
    stalled_seconds: int | None = None
    """For how long it has told nothing, where that is longer than it should be."""
    stalled: str = ""
    """Why, in a sentence."""

    @property
    def speed(self) -> SpeedVerdict | None:
        """What limits its speed, or did to the end; None while that is not known."""
        measured, started = self.history.speed, self.history.started
        if not (measured and started and self.recipe):
            return None
        return judge_speed(measured, self.recipe, on_cuda=started.device_type == "cuda")

    @property
    def short_id(self) -> str:
        """The id without its date."""
        return short_id(self.run.id)

    @property
    def tag(self) -> str:
        """The last part of the id, which is enough to name the run by."""
        return self.run.id.rpartition("-")[2]

    @property
    def silence(self) -> str:
        """For how long a run that stands still has taken no step."""
        seconds = self.stalled_seconds or 0
        return f"no step for {f'{seconds} s' if seconds < 100 else clock(seconds)}"

    @property
    def status(self) -> str:
        """State and progress in a few words, for the line on top."""
        if self.problem:
            return "✗ damaged"
        mark = MARKS[self.state]
        if self.stalled_seconds is not None:
            return f"{mark} {self.silence}"
        if self.state in ("running", "evaluating", "saving"):
            left = self.history.seconds_left
            return f"{mark} {self.history.fraction:.0%}" + (f" {clock(left)} left" if left is not None else "")
        if self.state == "paused":
            return f"{mark} paused {self.history.fraction:.0%}"
        return f"{mark} {self.state}"


def short_id(name: str) -> str:
    """A run's or checkpoint's id without its date: `tutorial-k3f`, `tutorial-k3f@12500`; other names as they are."""
    return re.sub(r"^\d{8}-\d{4}-", "", name)


def guessing_loss(run: Run) -> float | None:
    """The loss of a network that gives all classes the same probability, ln(classes); None where they are not known."""
    try:
        outputs = summarize(run.config().network).output
    except CifartuiError:
        return None
    return math.log(outputs[0]) if len(outputs) == 1 and outputs[0] > 1 else None


def recipe_of(run: Run) -> Recipe | None:
    """The settings of a run; None where they cannot be read."""
    try:
        return run.config().settings
    except CifartuiError:
        return None


def read_on(view: RunView, reading: Reading, glimpse: Glimpse | None = None) -> RunView:
    """A view with what a look at its run's folder found."""
    quiet = reading.stalled_seconds
    return msgspec.structs.replace(
        view,
        history=reading.history,
        state=reading.state,
        glimpse=glimpse,
        stalled_seconds=None if quiet is None else int(quiet),
        stalled="" if quiet is None else why_stalled(view.run, reading.history, quiet),
    )
