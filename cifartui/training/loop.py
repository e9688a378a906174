"""The training loop: a generator of events."""

import time
from collections.abc import Iterator

from torch import nn

from cifartui.dataset.images import ImageSet
from cifartui.errors import CifartuiError
from cifartui.training.accelerator import allocated_memory
from cifartui.training.losses import LOSSES
from cifartui.training.meter import Stopwatch, Tally
from cifartui.training.prediction import predict
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import (
    AnyEvent,
    Cause,
    EpochFinished,
    LossLogged,
    MemoryExhausted,
    NotFiniteFound,
    RunFinished,
    StepsReported,
    Validated,
    finite_or_none,
)
from cifartui.training.run.folder import Run
from cifartui.training.saving import LOOK_SECONDS, NotSavedError, Phases, Saver
from cifartui.training.setup import Job
from cifartui.training.steering import FolderMovedError, Steering
from cifartui.training.step import OutOfMemory

REPORT_SECONDS = 0.1
"""Reports come no faster; between two of them nothing is read back from the device."""


def train(run: Run, job: Job, inbox: ControlInbox, *, hold: bool = False) -> Iterator[AnyEvent]:
    """Train until the epochs are done or a command stops it; yields everything worth knowing.

    What goes wrong with numbers or memory ends the training, or, with `hold`, pauses it until a command answers. The
    last event is `RunFinished`. Raises what torch raises when the device fails.
    """
    return Training(run, job, inbox, hold).events()


class TrainingError(CifartuiError):
    """Training cannot go on; the sentence becomes the run's last event."""

    def __init__(self, sentence: str, cause: Cause) -> None:
        super().__init__(sentence)
        self.cause = cause


class Training:
    """The parts of the loop, around the position that the job holds."""

    def __init__(self, run: Run, job: Job, inbox: ControlInbox, hold: bool) -> None:
        self._job, self._position, self._meter = job, job.position, job.meter
        self._holds = hold
        self._stopwatch = Stopwatch()
        self._phases = Phases()
        self._saver = Saver(run, job, self._phases, self._stopwatch)
        self._steering = Steering(job, self._saver, self._phases, inbox, self._stopwatch, self._report)
        self._last_look = self._last_report = 0.0

    def events(self) -> Iterator[AnyEvent]:
        """The whole training."""
        try:
            yield from self._train()
        except FolderMovedError:
            yield from self._saver.end_elsewhere()
        except TrainingError as error:
            yield RunFinished(reason="failed", message=str(error), cause=error.cause)
        except NotSavedError as error:
            message = f"{error}, and nothing of it was saved; go on from the last checkpoint at a lower learning rate."
            yield RunFinished(reason="failed", message=message, cause="not finite")

    def _train(self) -> Iterator[AnyEvent]:
        job, position, steering = self._job, self._position, self._steering
        if job.checkpoint:
            yield from self._saver.go_on_from(job.checkpoint)
            self._last_report = self._stopwatch.read()
        else:
            yield from self._saver.start_anew()
        self._glimpse()
        yield self._phases.enter("running")
        while position.epoch <= position.epochs and not steering.stop:
            if position.epoch_is_over:
                if position.epoch == position.epochs or job.stopping.reason:
                    break
                position.begin_next_epoch()
            steering.went_back = False
            yield from self._train_to_the_end_of_the_epoch()
            if position.epoch_is_over and not steering.went_back:
                yield from self._finish_epoch()
        if steering.stop:
            yield from self._stop(save=steering.stop.save)
            return
        self._glimpse()
        missing = yield from self._saver.save_at_last("epoch", steering.told_to_stop)
        unsaved = f"without its last checkpoint: {missing}" if missing else ""
        early = job.stopping.reason if position.epoch < position.epochs else ""
        yield RunFinished(reason="finished", message="; ".join(filter(None, (early, unsaved))))

    def _train_to_the_end_of_the_epoch(self) -> Iterator[AnyEvent]:
        job, position, meter, steering = self._job, self._position, self._meter, self._steering
        if position.batch == 0:
            meter.forget()
            self._stopwatch.set(0.0)
            self._last_report = 0.0
        order = job.order.epoch(position.epoch)[position.batch * job.recipe.batch_size :]
        for images, labels in job.gauge.timed(job.batches.in_order(order)):
            while True:
                job.rate.follow_schedule()
                try:
                    loss, logits = job.engine.take(images, labels, position.step)
                    break
                except OutOfMemory as error:
                    yield from self._run_out_of_memory(error.fits)
                    if steering.stop or steering.went_back:
                        return
            self._saver.validation_accuracy = None
            meter.add(loss, logits, labels)
            position.batch += 1
            position.step += 1
            if position.batch % job.recipe.log_every == 0:
                yield from self._log()
            if position.epoch_is_over:
                return
            if time.monotonic() - self._last_look >= LOOK_SECONDS or position.step == steering.hold_at:
                yield from self._look()
                if steering.stop or steering.went_back:
                    return

    def _finish_epoch(self) -> Iterator[AnyEvent]:
        """Tell of the epoch, judge it, obey, and save it."""
        position, meter = self._position, self._meter
        yield from self._report()
        yield EpochFinished(
            epoch=position.epoch,
            step=position.step,
            loss=finite_or_none(meter.epoch.loss),
            accuracy=meter.epoch.accuracy,
            seconds=self._stopwatch.read(),
        )
        yield from self._validate()
        yield from self._look()
        # Whose checkpoint waits for room on the disk.
        is_last = position.epoch >= position.epochs or bool(self._job.stopping.reason)
        if not (self._steering.stop or self._steering.went_back or is_last):
            yield from self._saver.save("epoch")

    def _look(self) -> Iterator[AnyEvent]:
        """Report if it is time, then obey what was commanded meanwhile."""
        if self._stopwatch.read() - self._last_report >= REPORT_SECONDS:
            yield from self._report()
        yield from self._steering.look()
        if self._steering.went_back:
            self._job.engine.not_finite()  # of the steps that are void
            self._last_report = self._stopwatch.read()
        self._last_look = time.monotonic()

    def _report(self) -> Iterator[AnyEvent]:
        self._meter.read()
        tally, log, now = self._meter.report, self._meter.log, self._stopwatch.read()
        if not tally.images:
            return
        bad = self._job.engine.not_finite()
        yield StepsReported(
            step=self._position.step,
            epoch=self._position.epoch,
            loss=tally.loss if tally.batches else None,
            running_loss=log.loss if log.batches else None,
            accuracy=tally.accuracy,
            learning_rate=self._job.rate.value,
            images_per_second=tally.images / max(now - self._last_report, 1e-6),
            device_memory=allocated_memory(self._job.device),
            finite=bad is None,
        )
        self._job.gauge.add(tally.batches, tally.images, now - self._last_report)
        self._meter.report, self._last_report = Tally(), now
        if bad:
            epochs_before, batches_before = divmod(bad.step - 1, self._position.steps_per_epoch)
            self._steering.trouble = NotFiniteFound(
                step=bad.step, epoch=epochs_before + 1, batch=batches_before + 1, what=bad.what, skipped=bad.skipped
            )
            yield self._steering.trouble
            self._end_if_in_trouble()
        elif self._job.gauge.is_due:
            with self._stopwatch.halted():
                measured = self._job.gauge.measure(self._position.step)
            yield measured
        if self._job.glimpses.is_due:
            self._glimpse()

    def _glimpse(self) -> None:
        with self._stopwatch.halted():
            self._job.glimpses.take(self._saver.run, self._position.step)

    def _log(self) -> Iterator[AnyEvent]:
        self._meter.read()
        log = self._meter.log
        yield LossLogged(epoch=self._position.epoch, batch=self._position.batch, loss=log.loss if log.batches else None)
        self._meter.log = Tally()

    def _run_out_of_memory(self, fits: int) -> Iterator[AnyEvent]:
        self._steering.trouble = MemoryExhausted(
            step=self._position.step, batch_size=self._job.recipe.batch_size, fits=fits
        )
        yield self._steering.trouble
        self._end_if_in_trouble()
        yield from self._look()

    def _end_if_in_trouble(self) -> None:
        """Raise what ends the training, unless it is held for somebody to answer, or ends as it was told to anyway."""
        trouble, rate = self._steering.trouble, self._job.rate.value
        if self._holds or self._steering.stop or trouble is None:
            return
        if isinstance(trouble, NotFiniteFound):
            raise TrainingError(
                f"{trouble.what} was not a finite number at step {trouble.step:,}, which was not applied; go on from "
                f"the last checkpoint at a lower learning rate (it is {rate:g}).",
                "not finite",
            )
        size = f"{trouble.fits:,} images at once fit" if trouble.fits else "not even one image fits"
        raise TrainingError(
            f"the device has not enough memory for {trouble.batch_size:,} images a step; {size}: lower batch_size.",
            "out of memory",
        )

    def _stop(self, *, save: bool) -> Iterator[AnyEvent]:
        yield from self._report()
        self._glimpse()
        missing = "as asked"
        if save:
            missing = yield from self._saver.save_at_last("stopped", self._steering.told_to_stop)
        how = f"without a checkpoint: {missing}" if missing else "as asked"
        yield RunFinished(reason="stopped", message=f"at step {self._position.step:,}, {how}")

    def _validate(self) -> Iterator[AnyEvent]:
        """Judge the network, or the average of its weights, on the held-out training images, if there are any."""
        held_out, position = self._job.validation, self._position
        is_due = position.epoch % self._job.recipe.validation.every_epochs == 0 or position.epoch >= position.epochs
        if held_out is None or not is_due:
            return
        with self._stopwatch.halted():
            yield self._phases.enter("evaluating")
            average, images = self._job.average, len(held_out)
            loss_sum, correct = self._judge(average.module if average else self._job.module, held_out)
            self._job.stopping.judge(position.epoch, correct)
            raw_correct = self._judge(self._job.module, held_out)[1] if average else None
            self._saver.validation_accuracy = correct / images
            yield Validated(
                step=self._position.step,
                epoch=self._position.epoch,
                images=images,
                correct=correct,
                loss=finite_or_none(loss_sum / images),
                raw_correct=raw_correct,
            )
            yield self._phases.enter("running")

    def _judge(self, module: nn.Module, held_out: ImageSet) -> tuple[float, int]:
        """A network's summed loss and number of right answers."""
        loss_sum, correct = 0.0, 0
        for logits, labels in predict(module, held_out, self._job.recipe.normalize, self._job.device):
            loss_sum += LOSSES[self._job.recipe.loss](logits, labels, reduction="sum").item()
            correct += int((logits.argmax(dim=1) == labels).sum())
        return loss_sum, correct
