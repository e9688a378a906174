"""The fold: the only place where the events of a journal are given meaning."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from cifartui.training.run.curves import (
    MAX_POINTS,
    Point,
    ValidationPoint,
    cut_back,
    last_widened,
    steps_per_point,
    take_in,
    widened,
)
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    EpochFinished,
    EpochsChanged,
    LearningRateChanged,
    LineDamaged,
    LossLogged,
    MemoryExhausted,
    NotFiniteFound,
    Queued,
    RunFinished,
    RunStarted,
    SpeedMeasured,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
    WentBack,
)
from cifartui.training.run.history import ControlAnswer, LogLine, Mark, RunHistory
from cifartui.training.run.sentences import sentences_of

FOLD_VERSION = 5
"""Raised whenever the same journal is folded into something else: what was kept of older folds is void then."""
MAX_LINES = 200
"""Of the log; as many epochs, checkpoints and changes of the learning rate are kept."""
MAX_CONTROLS = 20
RATE_SECONDS = 3.0
"""The rate shown is the mean over about this long."""
STEADY_SECONDS = 60.0
"""The rate that the time left is worked out from: over longer, so that a busy moment does not make it jump."""
USUAL_REPORTS = 20
"""The usual time between two reports is the mean over about so many."""

Item = TypeVar("Item")


def fold(history: RunHistory, events: Iterable[AnyEvent]) -> RunHistory:
    """Take new events of the journal into a history."""
    folding = _Folding(history)
    for event in events:
        folding.add(event)
    return folding.result()


class _Folding:
    """A history while events are added to it; its fields have the same names."""

    def __init__(self, history: RunHistory) -> None:
        self.log_length = history.log_length
        self.length, self.heard, self.reported = history.length, history.heard, history.reported
        self.started, self.changed, self.finished = history.started, history.changed, history.finished
        self.behind = history.behind
        self.latest, self.step = history.latest, history.step
        self.epochs_asked, self.parent = history.epochs_asked, history.parent
        self.curve, self.validation = list(history.curve), list(history.validation)
        self.steps_per_point = history.steps_per_point
        self.rate_changes, self.epochs = list(history.rate_changes), list(history.epochs)
        self.checkpoints, self.marks = list(history.checkpoints), list(history.marks)
        self.lines, self.controls = list(history.lines), list(history.controls)
        self.trouble, self.warning, self.damaged = history.trouble, history.warning, history.damaged
        self.images_per_second = history.images_per_second
        self.steady_images_per_second = history.steady_images_per_second
        self.trained_seconds, self.report_seconds = history.trained_seconds, history.report_seconds
        self.paused, self.speed = history.paused, history.speed

    def result(self) -> RunHistory:
        """The history with all of it."""
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in vars(self).items()}
        return msgspec.structs.replace(RunHistory(), **fields)

    def add(self, event: AnyEvent) -> None:
        """Take in the next event."""
        self.heard = event.time or self.heard
        self.length = max(self.length, event.seq + 1)
        match event:
            case StepsReported():
                self._report(event)
            case SpeedMeasured():
                self.speed = event
            case StateChanged():
                self._change(event)
            case Queued():
                self.behind = event.behind
            case RunStarted():
                self._start(event)
            case WentBack():
                self._go_back(event)
                self.trouble = None
            case EpochFinished():
                _keep(self.epochs, event)
            case Validated():
                self._widen(event.step)
                point = ValidationPoint(event.step, event.accuracy, event.loss, self.trained_seconds)
                take_in(self.validation, point, self.steps_per_point)
            case CheckpointSaved():
                self.checkpoints = [saved for saved in self.checkpoints if saved.step != event.step]
                _keep(self.checkpoints, event)
                self._mark(event.step, event.seq)
                self.warning = ""
            case CheckpointPruned():
                self.checkpoints = [saved for saved in self.checkpoints if saved.step != event.step]
                self.marks = [mark for mark in self.marks if mark.step != event.step]
            case ControlAcknowledged():
                self._answer(ControlAnswer(event.control, event.command, "taken", event.step))
            case ControlDone():
                self._answer(ControlAnswer(event.control, event.command, "done", event.step))
            case ControlRefused():
                self._answer(ControlAnswer(event.control, event.command, "refused", event.step, event.reason))
            case LearningRateChanged():
                _keep(self.rate_changes, event)
            case EpochsChanged():
                self.epochs_asked = event.after
                self._widen()
            case NotFiniteFound() | MemoryExhausted():
                self.trouble = event
            case Warned():
                self.warning = event.message
            case LineDamaged():
                if self.damaged:
                    return
                self.damaged = event
            case RunFinished():
                self.finished = event
        self._log(event)

    def _log(self, event: AnyEvent) -> None:
        for text in sentences_of(event):
            _keep(self.lines, LogLine(self._step_of(event), event.seq, text))
            self.log_length += 1

    def _step_of(self, event: AnyEvent) -> int:
        match event:
            case LossLogged():
                per_epoch = self.started.steps_per_epoch if self.started else 0
                return (event.epoch - 1) * per_epoch + event.batch
            case CheckpointSaved() | Validated() | LearningRateChanged() | NotFiniteFound() | MemoryExhausted():
                return event.step
            case _:  # a checkpoint may come before the report of its step
                return max(self.step, self.checkpoints[-1].step if self.checkpoints else 0)

    def _report(self, event: StepsReported) -> None:
        seconds = 0.0
        if self.started and event.images_per_second:  # pauses left out
            seconds = max(0, event.step - self.step) * self.started.batch_size / event.images_per_second
        self.trained_seconds += seconds
        self.images_per_second = _smoothed(self.images_per_second, event.images_per_second, seconds, RATE_SECONDS)
        over = min(self.trained_seconds, STEADY_SECONDS)
        self.steady_images_per_second = _smoothed(self.steady_images_per_second, event.images_per_second, seconds, over)
        interval = max(0.0, event.time - self.reported)  # of a clock set back, none
        self.report_seconds = max(interval, _smoothed(self.report_seconds, interval, 1.0, USUAL_REPORTS))
        self.latest, self.step, self.reported = event, event.step, event.time
        if event.step > self.steps_per_point * MAX_POINTS:
            self._widen(event.step)
        point = Point(event.step, event.loss, event.accuracy, seconds=self.trained_seconds)
        take_in(self.curve, point, self.steps_per_point)

    def _change(self, event: StateChanged) -> None:
        self.changed, self.reported = event, event.time
        self.behind = ()
        self.paused = event.state == "paused" or (self.paused and event.state == "saving")
        if event.state in ("queued", "starting"):
            self.finished = None
        if event.state not in ("paused", "saving"):
            self.trouble = None

    def _start(self, event: RunStarted) -> None:
        """Begin, or go on from a checkpoint; what a former process had in hand is over."""
        if self.started:
            self._go_back(event)
        self.started, self.finished, self.trouble, self.paused, self.warning = event, None, None, False, ""
        self.controls, self.speed = [], None
        self.step, self.epochs_asked, self.parent = event.step, event.epochs, event.parent or self.parent
        self.images_per_second = self.steady_images_per_second = None
        self.report_seconds = 0.0
        self._widen()

    def _go_back(self, event: RunStarted | WentBack) -> None:
        """Forget what came after a checkpoint: of the same step, what came after it in the journal."""
        step = event.step
        mark = next((mark for mark in reversed(self.marks) if mark.step == step), None)
        if step == 0:
            mark = Mark(0, -1, 0.0, None, None, None)
        if mark:
            self.curve = cut_back(self.curve, mark.point, self.steps_per_point)
            self.validation = cut_back(self.validation, mark.validated, self.steps_per_point)
            self.latest, self.trained_seconds = mark.latest, mark.trained_seconds
        elif self.step > step:  # a checkpoint of which nothing is remembered
            self.curve = [point for point in self.curve if point.step <= step]
            self.validation = [point for point in self.validation if point.step <= step]
            self.trained_seconds *= step / self.step
            self.latest = None
        seq = mark.seq if mark else event.seq
        self.epochs = [epoch for epoch in self.epochs if (epoch.step, epoch.seq) <= (step, seq)]
        self.rate_changes = [change for change in self.rate_changes if (change.step, change.seq) <= (step, seq)]
        self.checkpoints = [saved for saved in self.checkpoints if saved.step <= step]
        self.marks = [mark for mark in self.marks if mark.step <= step]
        self.lines = [line for line in self.lines if (line.step, line.seq) <= (step, seq)]
        self.controls = [answer for answer in self.controls if answer.step <= step or answer.outcome == "taken"]
        self.step = step
        if not mark:
            self._mark(step, event.seq)

    def _mark(self, step: int, seq: int) -> None:
        self.marks = [mark for mark in self.marks if mark.step != step]
        point = self.curve[-1] if self.curve else None
        validated = self.validation[-1] if self.validation else None
        _keep(self.marks, Mark(step, seq, self.trained_seconds, self.latest, point, validated))

    def _answer(self, answer: ControlAnswer) -> None:
        for place, former in enumerate(self.controls):
            if former.id == answer.id:
                self.controls[place] = answer
                return
        _keep(self.controls, answer, MAX_CONTROLS)

    def _widen(self, step: int = 0) -> None:
        """Make the curves coarser where the run is longer than they have room for."""
        of_run = self.epochs_asked * self.started.steps_per_epoch if self.started else 0
        width = steps_per_point(max(step, of_run))
        if width <= self.steps_per_point:
            return
        self.marks = [
            msgspec.structs.replace(
                mark,
                point=last_widened(self.curve, mark.point, width),
                validated=last_widened(self.validation, mark.validated, width),
            )
            for mark in self.marks
        ]
        self.curve, self.validation = widened(self.curve, width), widened(self.validation, width)
        self.steps_per_point = width


def _keep(kept: list[Item], newest: Item, most: int = MAX_LINES) -> None:
    kept.append(newest)
    del kept[:-most]


def _smoothed(mean: float | None, newest: float, seconds: float, over: float) -> float:
    if mean is None:
        return newest
    weight = min(1.0, seconds / over) if over else 1.0
    return mean + (newest - mean) * weight
