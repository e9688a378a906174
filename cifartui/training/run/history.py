"""What a journal says so far: one bounded, immutable value, which `fold` makes of its events."""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from cifartui.training.run.curves import Point, ValidationPoint
from cifartui.training.run.events import (
    CheckpointSaved,
    EpochFinished,
    LearningRateChanged,
    LineDamaged,
    MemoryExhausted,
    NotFiniteFound,
    RunFinished,
    RunStarted,
    SpeedMeasured,
    StateChanged,
    StepsReported,
)


class LogLine(NamedTuple):
    """A line of the log."""

    step: int
    seq: int
    """Of its event."""
    text: str


class ControlAnswer(NamedTuple):
    """What came of a command to the run, so far."""

    id: str
    command: str
    outcome: Literal["taken", "done", "refused"]
    step: int
    reason: str = ""
    """Why it was refused."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where the fold stood when a checkpoint was saved, or when the run last went on from it."""

    step: int
    seq: int
    trained_seconds: float
    latest: StepsReported | None
    point: Point | None
    """The last of the curve."""
    validated: ValidationPoint | None


class RunHistory(msgspec.Struct, frozen=True):
    """A run as far as its journal was read; `fold` gives the next value."""

    length: int = 0
    """Events so far: the number of the next."""
    started: RunStarted | None = None
    """The last start."""
    changed: StateChanged | None = None
    behind: tuple[str, ...] = ()
    """Ids of the runs that it waits for, the first to train first; empty unless it is queued."""
    finished: RunFinished | None = None
    """How it ended; None again once it was taken up again."""
    latest: StepsReported | None = None
    step: int = 0
    """Steps taken, as last reported."""
    epochs_asked: int = 0
    """How many epochs the run shall have; 0 before it started."""
    parent: str = ""
    """`RUN@STEP`, the checkpoint of another run that this one went on from; else empty."""
    curve: tuple[Point, ...] = ()
    validation: tuple[ValidationPoint, ...] = ()
    steps_per_point: int = 1
    """Of both curves."""
    rate_changes: tuple[LearningRateChanged, ...] = ()
    epochs: tuple[EpochFinished, ...] = ()
    checkpoints: tuple[CheckpointSaved, ...] = ()
    marks: tuple[Mark, ...] = ()
    """What is needed to go back to a checkpoint, the last saved last."""
    lines: tuple[LogLine, ...] = ()
    log_length: int = 0
    """How many lines there were in all, with those no longer kept: another one means another log."""
    controls: tuple[ControlAnswer, ...] = ()
    """The last commands that were answered, and how."""
    trouble: NotFiniteFound | MemoryExhausted | None = None
    """What the run holds for, or ended of; None again once it goes on."""
    images_per_second: float | None = None
    steady_images_per_second: float | None = None
    trained_seconds: float = 0.0
    """Time spent on the steps reported."""
    heard: float = 0.0
    """When the run last told anything, in Unix seconds."""
    reported: float = 0.0
    """When it last began to count as silent: its last report or change of state."""
    report_seconds: float = 0.0
    """The usual time between two reports."""
    speed: SpeedMeasured | None = None
    """Where the time of the last steps went."""
    warning: str = ""
    """What was last warned of; a checkpoint saved since then, or a new start, makes it past."""
    damaged: LineDamaged | None = None
    """The first line of the journal that could not be read."""
    paused: bool = False
    """Whether the run is held; a checkpoint saved meanwhile does not change that."""

    @property
    def log(self) -> tuple[str, ...]:
        """The tutorial's log lines and what else a person should read, oldest first; the last of them."""
        return tuple(line.text for line in self.lines)

    @property
    def learning_rate(self) -> float:
        """Of the next step, also between two reports; 0 before the run started."""
        told = [(self.started.seq, self.started.learning_rate)] if self.started else []
        told += [(self.latest.seq, self.latest.learning_rate)] if self.latest else []
        told += [(change.seq, change.after) for change in self.rate_changes[-1:]]
        return max(reversed(told), key=lambda rate: rate[0])[1] if told else 0.0

    @property
    def scheduled_rate(self) -> float:
        """What the learning rate of the next step would be if nobody had turned it; 0 before the run started."""
        return self.learning_rate / self.rate_multiplier()

    def rate_multiplier(self, step: int | None = None) -> float:
        """How many times the recipe's learning rate it was turned to after so many steps; None: by now."""
        multiplier = _product(change for change in self.rate_changes if step is None or change.step <= step)
        if self.started and self.started.turned:  # which tells of what was turned before it, too
            before = _product(change for change in self.rate_changes if change.seq < self.started.seq)
            multiplier *= self.started.turned / before
        return float(f"{multiplier:.12g}")  # turned up and down again is not turned at all

    @property
    def steps(self) -> int:
        """Steps of the whole run; 0 before it started."""
        return self.epochs_asked * self.started.steps_per_epoch if self.started else 0

    @property
    def epoch(self) -> int:
        """The epoch in hand, from 1; 0 before the run started."""
        if self.started is None:
            return 0
        if self.latest and self.latest.step == self.step:
            return self.latest.epoch
        return min(self.step // max(1, self.started.steps_per_epoch) + 1, self.epochs_asked)

    @property
    def fraction(self) -> float:
        """Share of the steps taken, 0-1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Training time still to go at the rate of the last minute; None while the rate is not known."""
        if not (self.started and self.steady_images_per_second):
            return None
        return max(0, self.steps - self.step) * self.started.batch_size / self.steady_images_per_second

    @property
    def best(self) -> ValidationPoint | None:
        """The best result on the held-out images, the earliest of equals."""
        return max(self.validation, key=lambda point: point.accuracy, default=None)


def _product(changes: Iterable[LearningRateChanged]) -> float:
    return math.prod(change.after / change.before for change in changes)
