"""What a journal says so far, folded into one bounded, immutable value."""

import time
from typing import NamedTuple

import msgspec

from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    ControlAcknowledged,
    EpochFinished,
    LineDamaged,
    LossLogged,
    RunFinished,
    RunStarted,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
)
from cifartui.training.run.folder import RunState

MAX_POINTS = 512
"""Points kept of each curve: when there are twice as many, neighbours are averaged."""
MAX_LINES = 200
RATE_SECONDS = 3.0
"""The rate shown is the mean over about this long."""
STEADY_SECONDS = 60.0
"""The rate that the time left is worked out from: over longer, so that a busy moment does not make it jump."""
QUIET_SECONDS = {"running": 5.0, "evaluating": 60.0, "saving": 60.0}
"""A run that tells nothing for longer is held up, unless its reports come as slowly as that."""
QUIET_REPORTS = 20
"""So many times the usual time between two reports."""


class Point(NamedTuple):
    """One point of the training curves."""

    step: int
    loss: float
    """NaN where the loss was not finite."""
    accuracy: float


class ValidationPoint(NamedTuple):
    """The network's result on the held-out images at a step."""

    step: int
    accuracy: float
    loss: float | None


class RunHistory(msgspec.Struct, frozen=True):
    """A run as far as its journal was read; `add` gives the next value."""

    started: RunStarted | None = None
    changed: StateChanged | None = None
    finished: RunFinished | None = None
    latest: StepsReported | None = None
    curve: tuple[Point, ...] = ()
    validation: tuple[ValidationPoint, ...] = ()
    epochs: tuple[EpochFinished, ...] = ()
    checkpoints: tuple[CheckpointSaved, ...] = ()
    log: tuple[str, ...] = ()
    """The tutorial's log lines and what else a person should read, oldest first; the last `MAX_LINES` of them."""
    log_length: int = 0
    """How many lines there were, with those no longer kept."""
    images_per_second: float | None = None
    steady_images_per_second: float | None = None
    trained_seconds: float = 0.0
    """Time spent on the steps reported."""
    heard: float = 0.0
    """When the run last told anything, in Unix seconds."""
    report_seconds: float = 0.0
    """The usual time between two reports."""
    warning: str = ""
    """What was last warned of; a checkpoint saved since then makes it past."""
    damaged: LineDamaged | None = None
    """The first line of the journal that could not be read."""
    paused: bool = False
    """Whether the run is held; a checkpoint saved meanwhile does not change that."""
    acknowledged: frozenset[str] = frozenset()
    """Ids of the controls that were taken."""

    @property
    def steps(self) -> int:
        """Steps of the whole run; 0 before it started."""
        return self.started.epochs * self.started.steps_per_epoch if self.started else 0

    @property
    def fraction(self) -> float:
        """Share of the steps taken, 0-1."""
        return self.latest.step / self.steps if self.latest and self.steps else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Training time still to go at the rate of the last minute; None while the rate is not known."""
        if not (self.started and self.latest and self.steady_images_per_second):
            return None
        return max(0, self.steps - self.latest.step) * self.started.batch_size / self.steady_images_per_second

    def stalled_seconds(self, state: RunState, now: float | None = None) -> float | None:
        """For how long a run in this state has told nothing, where that is longer than it should be; else None.

        `now` is in Unix seconds. Its process is held, the machine asleep or the disk full.
        """
        if state not in QUIET_SECONDS or not self.heard or (state == "saving" and self.warning):
            return None  # the last: it waits for room on the disk and has said so
        quiet = (time.time() if now is None else now) - self.heard
        return quiet if quiet > max(QUIET_SECONDS[state], QUIET_REPORTS * self.report_seconds) else None

    @property
    def best(self) -> ValidationPoint | None:
        """The best result on the held-out images, the earliest of equals."""
        return max(self.validation, key=lambda point: point.accuracy, default=None)


def fold(history: RunHistory, events: list[AnyEvent]) -> RunHistory:
    """Take new events of the journal into a history."""
    started, changed, finished, latest = history.started, history.changed, history.finished, history.latest
    rate, steady, trained = history.images_per_second, history.steady_images_per_second, history.trained_seconds
    heard, usual, paused = history.heard, history.report_seconds, history.paused
    warning, damaged = history.warning, history.damaged
    reported = latest.time if latest else 0.0
    if changed:
        reported = max(reported, changed.time)
    curve, validation, log = list(history.curve), list(history.validation), list(history.log)
    epochs, checkpoints, acknowledged = list(history.epochs), list(history.checkpoints), set(history.acknowledged)
    for event in events:
        heard = event.time or heard
        match event:
            case RunStarted():
                started = event
            case StateChanged():
                changed, reported = event, event.time
                paused = event.state == "paused" or (paused and event.state == "saving")
            case StepsReported():
                seconds = _training_seconds(event, latest, started)
                trained += seconds
                rate = _smoothed(rate, event.images_per_second, seconds, RATE_SECONDS)
                steady = _smoothed(steady, event.images_per_second, seconds, min(trained, STEADY_SECONDS))
                interval = event.time - reported
                usual = max(interval, _smoothed(usual, interval, 1.0, QUIET_REPORTS))
                latest, reported = event, event.time
                loss = float("nan") if event.loss is None else event.loss
                curve.append(Point(event.step, loss, event.accuracy))
                if len(curve) >= 2 * MAX_POINTS:
                    curve = halve(curve)
            case LossLogged():
                log.append(event.line)
            case EpochFinished():
                epochs.append(event)
            case Validated():
                validation.append(ValidationPoint(event.step, event.accuracy, event.loss))
                log.append(f"epoch {event.epoch}: {event.accuracy:.1%} of {event.images:,} held-out images")
            case CheckpointSaved():
                checkpoints.append(event)
                warning = ""
                log.append(f"checkpoint saved at step {event.step:,}")
            case CheckpointPruned():
                log.append(f"checkpoint of step {event.step:,} removed: {event.reason}")
            case ControlAcknowledged():
                acknowledged.add(event.control)
            case Warned():
                warning = event.message
                log.append(f"warning: {event.message}")
            case LineDamaged():
                if damaged is None:
                    damaged = event
                    log.append(f"warning: {event.sentence}")
            case RunFinished():
                finished = event
                log.append(f"{event.reason}: {event.message}" if event.message else event.reason)
    return RunHistory(
        started=started,
        changed=changed,
        finished=finished,
        latest=latest,
        curve=tuple(curve),
        validation=tuple(validation),
        epochs=tuple(epochs[-MAX_LINES:]),
        checkpoints=tuple(checkpoints[-MAX_LINES:]),
        log=tuple(log[-MAX_LINES:]),
        log_length=history.log_length + len(log) - len(history.log),
        images_per_second=rate,
        steady_images_per_second=steady,
        trained_seconds=trained,
        heard=heard,
        report_seconds=usual,
        warning=warning,
        damaged=damaged,
        paused=paused,
        acknowledged=frozenset(acknowledged),
    )


def halve(curve: list[Point]) -> list[Point]:
    """Average neighbours, so that half the points tell the same story."""
    pairs = zip(curve[::2], curve[1::2], strict=True)
    return [Point(b.step, (a.loss + b.loss) / 2, (a.accuracy + b.accuracy) / 2) for a, b in pairs]


def _training_seconds(report: StepsReported, former: StepsReported | None, started: RunStarted | None) -> float:
    """How long the steps of a report took, pauses left out."""
    if not (started and report.images_per_second):
        return 0.0
    steps = report.step - (former.step if former else 0)
    return max(0, steps) * started.batch_size / report.images_per_second


def _smoothed(mean: float | None, newest: float, seconds: float, over: float) -> float:
    if mean is None:
        return newest
    weight = min(1.0, seconds / over) if over else 1.0
    return mean + (newest - mean) * weight
