"""What a journal says so far, folded into one bounded, immutable value."""

from typing import NamedTuple

import msgspec

from cifartui.training.events import (
    AnyEvent,
    CheckpointSaved,
    ControlAcknowledged,
    EpochFinished,
    Evaluated,
    LossLogged,
    RunFinished,
    RunStarted,
    StateChanged,
    StepsReported,
    Warned,
)

MAX_POINTS = 512
"""Points kept of each curve: when there are twice as many, neighbours are averaged."""
MAX_LINES = 200
RATE_SECONDS = 3.0
"""The rate shown and used for the time left is the mean over about this long."""


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
        """Training time still to go at the present rate; None while the rate is not known."""
        if not (self.started and self.latest and self.images_per_second):
            return None
        return (self.steps - self.latest.step) * self.started.batch_size / self.images_per_second

    @property
    def best(self) -> ValidationPoint | None:
        """The best result on the held-out images, the earliest of equals."""
        return max(self.validation, key=lambda point: point.accuracy, default=None)


def fold(history: RunHistory, events: list[AnyEvent]) -> RunHistory:
    """Take new events of the journal into a history."""
    started, changed, finished, latest = history.started, history.changed, history.finished, history.latest
    rate, paused = history.images_per_second, history.paused
    curve, validation, log = list(history.curve), list(history.validation), list(history.log)
    epochs, checkpoints, acknowledged = list(history.epochs), list(history.checkpoints), set(history.acknowledged)
    for event in events:
        match event:
            case RunStarted():
                started = event
            case StateChanged():
                changed = event
                paused = event.state == "paused" or (paused and event.state == "saving")
            case StepsReported():
                seconds = event.time - latest.time if latest else 0.1
                rate = _smoothed(rate, event.images_per_second, seconds)
                latest = event
                loss = float("nan") if event.loss is None else event.loss
                curve.append(Point(event.step, loss, event.accuracy))
                if len(curve) >= 2 * MAX_POINTS:
                    curve = halve(curve)
            case LossLogged():
                log.append(event.line)
            case EpochFinished():
                epochs.append(event)
            case Evaluated():
                validation.append(ValidationPoint(event.step, event.accuracy, event.loss))
                log.append(f"epoch {event.epoch}: {event.accuracy:.1%} of {event.images:,} held-out images")
            case CheckpointSaved():
                checkpoints.append(event)
                log.append(f"checkpoint saved at step {event.step:,}")
            case ControlAcknowledged():
                acknowledged.add(event.control)
            case Warned():
                log.append(f"warning: {event.message}")
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
        paused=paused,
        acknowledged=frozenset(acknowledged),
    )


def halve(curve: list[Point]) -> list[Point]:
    """Average neighbours, so that half the points tell the same story."""
    pairs = zip(curve[::2], curve[1::2], strict=True)
    return [Point(b.step, (a.loss + b.loss) / 2, (a.accuracy + b.accuracy) / 2) for a, b in pairs]


def _smoothed(rate: float | None, newest: float, seconds: float) -> float:
    if rate is None:
        return newest
    weight = min(1.0, seconds / RATE_SECONDS)
    return rate + (newest - rate) * weight
