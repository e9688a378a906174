"""The training loop: a generator of events."""

import math
import time
from collections.abc import Iterator

import torch
from torch.nn import functional

from cifartui.errors import explain
from cifartui.training.checkpoints import CheckpointFacts
from cifartui.training.controls import ControlInbox
from cifartui.training.events import (
    AnyEvent,
    CheckpointSaved,
    ControlAcknowledged,
    EpochFinished,
    Evaluated,
    LossLogged,
    Phase,
    RunFinished,
    StateChanged,
    StepsReported,
    Warned,
    finite_or_none,
)
from cifartui.training.meter import Meter, Stopwatch, Tally
from cifartui.training.prediction import predict
from cifartui.training.run import Run
from cifartui.training.setup import Job
from cifartui.training.snapshot import training_tensors, write_checkpoint

LOOK_SECONDS = 0.05
"""How long a command may lie unread."""
REPORT_SECONDS = 0.1
"""Reports come no faster; between two of them nothing is read back from the device."""


def train(run: Run, job: Job, inbox: ControlInbox) -> Iterator[AnyEvent]:
    """Train until the recipe's epochs are done or a command stops it; yields everything worth knowing.

    The last event is `RunFinished`. Raises what torch raises when the device fails.
    """
    return Training(run, job, inbox).events()


class Training:
    """Where the training stands, and the parts of its loop."""

    def __init__(self, run: Run, job: Job, inbox: ControlInbox) -> None:
        self._run, self._job, self._inbox = run, job, inbox
        self._epoch, self._batch, self._step = 1, 0, 0
        self._meter = Meter()
        self._stopwatch = Stopwatch()
        self._last_look = self._last_report = 0.0
        self._phase: Phase = "starting"
        self._stopping = False
        self._warned_of_nan = False
        self._validation_accuracy: float | None = None

    def events(self) -> Iterator[AnyEvent]:
        """The whole training."""
        yield self._enter("running")
        for epoch in range(1, self._job.recipe.epochs + 1):
            self._epoch, self._batch = epoch, 0
            yield from self._train_one_epoch()
            if self._stopping:
                yield from self._save("stopped")
                yield RunFinished(reason="stopped", message=f"at step {self._step:,}, as asked")
                return
            yield from self._validate()
            yield from self._save("epoch")
        yield RunFinished(reason="finished")

    def _train_one_epoch(self) -> Iterator[AnyEvent]:
        job, meter = self._job, self._meter
        meter.epoch, meter.log = Tally(), Tally()
        started = self._stopwatch.read()
        self._validation_accuracy = None
        for images, labels in job.batches.in_order(job.order.epoch(self._epoch)):
            job.optimizer.zero_grad()
            logits = job.module(job.augment(images, self._step))
            loss = functional.cross_entropy(logits, labels)
            loss.backward()
            job.optimizer.step()

            meter.add(loss, logits, labels)
            self._batch += 1
            self._step += 1
            if self._batch % job.recipe.log_every == 0:
                yield from self._log()
            if time.monotonic() - self._last_look >= LOOK_SECONDS:
                yield from self._look()
                if self._stopping:
                    yield from self._report()
                    return
        yield from self._report()
        yield EpochFinished(
            epoch=self._epoch,
            step=self._step,
            loss=finite_or_none(meter.epoch.loss),
            accuracy=meter.epoch.accuracy,
            seconds=self._stopwatch.read() - started,
        )

    def _look(self) -> Iterator[AnyEvent]:
        """Report if it is time, then obey what was commanded meanwhile."""
        if self._stopwatch.read() - self._last_report >= REPORT_SECONDS:
            yield from self._report()
        yield from self._obey()
        self._last_look = time.monotonic()

    def _report(self) -> Iterator[AnyEvent]:
        self._meter.read()
        tally, now = self._meter.report, self._stopwatch.read()
        if not tally.batches:
            return
        on_gpu = self._job.device.type == "cuda"
        yield StepsReported(
            step=self._step,
            epoch=self._epoch,
            loss=finite_or_none(tally.loss),
            running_loss=finite_or_none(self._meter.log.loss),
            accuracy=tally.accuracy,
            learning_rate=self._job.optimizer.param_groups[0]["lr"],
            images_per_second=tally.images / max(now - self._last_report, 1e-6),
            device_memory=torch.cuda.memory_allocated() if on_gpu else None,
            finite=math.isfinite(tally.loss),
        )
        if not math.isfinite(tally.loss) and not self._warned_of_nan:
            self._warned_of_nan = True
            yield Warned(
                message=f"the loss is not a finite number any more (by step {self._step:,}); "
                "stop, and lower the learning rate"
            )
        self._meter.report, self._last_report = Tally(), now

    def _log(self) -> Iterator[AnyEvent]:
        self._meter.read()
        yield LossLogged(epoch=self._epoch, batch=self._batch, loss=finite_or_none(self._meter.log.loss))
        self._meter.log = Tally()

    def _obey(self) -> Iterator[AnyEvent]:
        """Carry out the commands that arrived; while paused, wait here for the next."""
        paused = False
        while True:
            controls, problem = self._inbox.read_new()
            if problem:
                yield Warned(message=problem)
            for control in controls:
                yield ControlAcknowledged(control=control.id, command=control.command, step=self._step)
                match control.command:
                    case "pause":
                        paused = True
                    case "resume":
                        paused = False
                    case "checkpoint":
                        yield from self._save("asked for")
                    case "stop":
                        self._stopping = True
                        return
            if not paused:
                break
            if self._phase != "paused":
                yield from self._report()
                yield self._enter("paused")
            with self._stopwatch.halted():
                time.sleep(LOOK_SECONDS)
        if self._phase == "paused":
            yield self._enter("running")

    def _validate(self) -> Iterator[AnyEvent]:
        """Judge the network on the held-out training images, if the recipe names any."""
        held_out = self._job.validation
        if held_out is None:
            return
        with self._stopwatch.halted():
            yield self._enter("evaluating")
            loss_sum, correct = 0.0, 0
            for logits, labels in predict(self._job.module, held_out, self._job.recipe.normalize, self._job.device):
                loss_sum += functional.cross_entropy(logits, labels, reduction="sum").item()
                correct += int((logits.argmax(dim=1) == labels).sum())
            images = len(held_out)
            self._validation_accuracy = correct / images
            yield Evaluated(
                step=self._step,
                epoch=self._epoch,
                images=images,
                correct=correct,
                loss=finite_or_none(loss_sum / images),
            )
            yield self._enter("running")

    def _save(self, cause: str) -> Iterator[AnyEvent]:
        """Write a checkpoint; a full disk is told and does not end the training."""
        before = self._phase
        with self._stopwatch.halted():
            yield self._enter("saving")
            facts = CheckpointFacts(
                run=self._run.id,
                step=self._step,
                epoch=self._epoch,
                batch=self._batch,
                cause=cause,
                validation_accuracy=self._validation_accuracy,
                sha256="",
                bytes=0,
                created=time.time(),
            )
            try:
                facts = write_checkpoint(self._run, training_tensors(self._job.module, self._job.optimizer), facts)
            except OSError as error:
                yield Warned(message=f"the checkpoint of step {self._step:,} could not be saved: {explain(error)}")
            else:
                yield CheckpointSaved(
                    step=facts.step, epoch=facts.epoch, file=f"{facts.stem}.safetensors", bytes=facts.bytes
                )
            yield self._enter(before)

    def _enter(self, phase: Phase) -> StateChanged:
        self._phase = phase
        return StateChanged(state=phase)
