"""What commands to a run do to its training; while the run is held, it waits here."""

import time
from collections.abc import Callable, Generator, Iterator

from cifartui.errors import CifartuiError
from cifartui.training.meter import Stopwatch
from cifartui.training.run.controls import (
    Accumulate,
    AnyControl,
    ChangeEpochs,
    ChangeRate,
    ControlInbox,
    Pause,
    Resume,
    RollBack,
    SaveCheckpoint,
    Stop,
    TakeSteps,
)
from cifartui.training.run.events import (
    AnyEvent,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    EpochsChanged,
    LearningRateChanged,
    MemoryExhausted,
    NotFiniteFound,
    Warned,
    WentBack,
)
from cifartui.training.run.keeping import ASKED_FOR
from cifartui.training.saving import LOOK_SECONDS, NotSavedError, Phases, Saver
from cifartui.training.setup import Job
from cifartui.training.state import Weights, not_finite

MOST_RATE = 100.0
"""As a recipe allows."""
Effect = Generator[AnyEvent, None, None]


class FolderMovedError(CifartuiError):
    """The run's folder is not at its place any more."""


class RefusedError(CifartuiError):
    """A command that is not carried out; the sentence says why, and what to do."""


class Steering:
    """Takes the commands that arrive and carries them out between two steps."""

    def __init__(
        self,
        job: Job,
        saver: Saver,
        phases: Phases,
        inbox: ControlInbox,
        stopwatch: Stopwatch,
        report: Callable[[], Iterator[AnyEvent]],
    ) -> None:
        self._job, self._saver, self._phases, self._inbox = job, saver, phases, inbox
        self._stopwatch, self._report = stopwatch, report
        self._held = False
        self._steps: TakeSteps | None = None
        self.hold_at: int | None = None
        """The step after which the run is held again, while it takes single steps."""
        self.trouble: NotFiniteFound | MemoryExhausted | None = None
        """For which the run is held until it is answered."""
        self.stop: Stop | None = None
        """The command that ends the run."""
        self.went_back = False
        """Whether the training is at another step than it was; whoever iterates over batches begins anew."""

    def look(self) -> Effect:
        """Carry out what was commanded; while the run is held, wait here for what comes next."""
        if self.hold_at is not None and self._job.position.step >= self.hold_at:
            yield from self._hold()
            yield from self._end_steps()
        if self.trouble:
            yield from self._hold()
        yield from self._obey_all()
        while self._held and not self.stop:
            with self._stopwatch.halted():
                time.sleep(LOOK_SECONDS)
                yield from self._obey_all()

    def told_to_stop(self) -> Generator[AnyEvent, None, bool]:
        """Whether a stop arrived while the run ends; other commands are refused."""
        stopped = False
        for control in (yield from self._take()):
            if isinstance(control, Stop):
                stopped = True
                yield self._done(control)
            else:
                yield self._refused(control, "The run is about to end.")
        return stopped

    def _obey_all(self) -> Effect:
        for control in (yield from self._take()):
            try:
                yield from self._obey(control)
            except RefusedError as error:
                yield self._refused(control, str(error))
            if self.stop:
                return

    def _take(self) -> Generator[AnyEvent, None, list[AnyControl]]:
        """Acknowledge the commands that arrived, once it is sure that the run's folder is still there."""
        if self._saver.folder_is_gone:
            raise FolderMovedError
        controls, problem = self._inbox.read_new()
        if problem:
            yield Warned(message=problem)
        for control in controls:
            yield ControlAcknowledged(control=control.id, command=control.command, step=self._job.position.step)
        return controls

    def _obey(self, control: AnyControl) -> Effect:
        match control:
            case Pause():
                yield from self._hold()
                yield from self._end_steps()
            case Resume():
                yield from self._resume()
                yield from self._end_steps()
            case TakeSteps():
                yield from self._take_steps(control)
                return  # done when they are taken
            case SaveCheckpoint():
                yield from self._report()
                yield from self._save(ASKED_FOR)
            case ChangeRate():
                yield from self._change_rate(control.to)
            case ChangeEpochs():
                yield from self._change_epochs(control.epochs)
            case RollBack():
                yield from self._roll_back()
            case Accumulate():
                yield from self._accumulate()
            case Stop():
                self.stop = control
        yield self._done(control)

    def _hold(self) -> Effect:
        if not self._held:
            self._held = True
            yield from self._report()
            with self._stopwatch.halted():
                self._job.glimpses.take(self._saver.run, self._job.position.step)
            yield self._phases.enter("paused")

    def _go_on(self) -> Effect:
        self.trouble = None
        if self._held:
            self._held = False
            yield self._phases.enter("running")

    def _resume(self) -> Effect:
        if isinstance(self.trouble, NotFiniteFound) and (broken := not_finite(Weights(self._job.module).tensors())):
            raise RefusedError(f"{broken} holds values that are not finite numbers: go back to the last checkpoint.")
        yield from self._go_on()

    def _take_steps(self, control: TakeSteps) -> Effect:
        if not self._held:
            raise RefusedError("The run is not paused: pause it first.")
        yield from self._resume()
        self.hold_at, self._steps = self._job.position.step + control.steps, control

    def _end_steps(self) -> Effect:
        if self._steps:
            yield self._done(self._steps)
        self.hold_at, self._steps = None, None

    def _save(self, cause: str) -> Effect:
        try:
            problem = yield from self._saver.save(cause)
        except NotSavedError as error:
            problem = str(error)
        if problem:
            raise RefusedError(f"The checkpoint could not be saved: {problem}.")

    def _change_rate(self, to: float | str) -> Effect:
        """Turn the rate and save it: a run that is killed from here on goes on with the turned rate.

        Steps taken at the former rate are reported before: no checkpoint holds half a report.
        """
        yield from self._report()
        rate, former = self._job.rate, self._job.rate.turned
        yield from self._turn(to)
        try:
            yield from self._save("rate")
        except RefusedError:
            before = rate.value
            rate.set(former)
            yield self._turned(before)
            raise

    def _turn(self, to: float | str) -> Effect:
        rate, before, former = self._job.rate, self._job.rate.value, self._job.rate.turned
        if not rate.factor:
            raise RefusedError("The schedule has brought the learning rate to 0: ask for more epochs first.")
        rate.turn(to)
        if not (rate.value > 0 and rate.turned.at(1.0) <= MOST_RATE):
            rate.set(former)
            raise RefusedError(
                f"The learning rate is {before:g}, and can be {MOST_RATE * rate.factor:g} at most at this step."
            )
        yield self._turned(before)

    def _turned(self, before: float) -> LearningRateChanged:
        return LearningRateChanged(step=self._job.position.step, before=before, after=self._job.rate.value)

    def _change_epochs(self, epochs: int) -> Effect:
        begun, before = self._job.position.epoch, self._job.position.epochs
        if epochs < begun:
            raise RefusedError(f"Epoch {begun} has begun: ask for {begun} epochs at least, or stop the run.")
        self._job.position.epochs = epochs
        yield EpochsChanged(step=self._job.position.step, before=before, after=epochs)

    def _roll_back(self) -> Effect:
        left, rate, turned = self._job.position.step, self._job.rate, self._job.rate.turned
        facts = yield from self._saver.go_back()
        if facts is None:
            raise RefusedError("The run has no checkpoint to go back to: stop it, and train again at a lower rate.")
        self.went_back = True
        yield from self._end_steps()
        yield WentBack(step=facts.step, epoch=facts.epoch, left=left)
        before = rate.value
        rate.set(turned._replace(to=turned.to / 2))
        yield self._turned(before)
        yield from self._go_on()
        yield from self._saver.save("rate")  # a full disk warns, and the run goes on

    def _accumulate(self) -> Effect:
        if not isinstance(self.trouble, MemoryExhausted):
            raise RefusedError("The run has not run out of memory.")
        if not self.trouble.fits:
            raise RefusedError("Not even one image fits into the memory: stop, and choose a smaller network.")
        self._job.engine.images_at_once = self.trouble.fits
        yield from self._go_on()
        yield from self._saver.save("memory")  # a run that is killed from here on need not run out of it again

    def _done(self, control: AnyControl) -> ControlDone:
        return ControlDone(control=control.id, command=control.command, step=self._job.position.step)

    def _refused(self, control: AnyControl, reason: str) -> ControlRefused:
        step = self._job.position.step
        return ControlRefused(control=control.id, command=control.command, step=step, reason=reason)
