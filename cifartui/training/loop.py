"""The training loop: a generator of events."""

import math
import shutil
import time
from collections.abc import Generator, Iterator

import torch

from cifartui.errors import CifartuiError, obstacle
from cifartui.training.losses import LOSSES
from cifartui.training.meter import Meter, Stopwatch, Tally
from cifartui.training.prediction import predict
from cifartui.training.run.checkpoints import CheckpointFacts, prune, why_pruned
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    ControlAcknowledged,
    EpochFinished,
    LossLogged,
    Phase,
    RunFinished,
    StateChanged,
    StepsReported,
    Validated,
    Warned,
    finite_or_none,
)
from cifartui.training.run.folder import Run
from cifartui.training.setup import Job
from cifartui.training.snapshot import not_finite, training_tensors, write_checkpoint

LOOK_SECONDS = 0.05
"""How long a command may lie unread."""
REPORT_SECONDS = 0.1
"""Reports come no faster; between two of them nothing is read back from the device."""
RETRY_SECONDS = 1.0
"""Between two tries to save a run's last checkpoint on a full disk."""
HOLD_SECONDS = 12 * 3600.0
"""For so long a run waits for room for its last checkpoint."""


def train(run: Run, job: Job, inbox: ControlInbox) -> Iterator[AnyEvent]:
    """Train until the recipe's epochs are done or a command stops it; yields everything worth knowing.

    The last event is `RunFinished`. Raises what torch raises when the device fails.
    """
    return Training(run, job, inbox).events()


class TrainingError(CifartuiError):
    """Training cannot go on; the sentence becomes the run's last event."""


class FolderMovedError(TrainingError):
    """The run's folder is not at its place any more."""


class Training:
    """Where the training stands, and the parts of its loop."""

    def __init__(self, run: Run, job: Job, inbox: ControlInbox) -> None:
        self._run, self._job, self._inbox = run, job, inbox
        self._epoch, self._batch, self._step = 1, 0, 0
        self._meter = Meter()
        self._stopwatch = Stopwatch()
        self._last_look = self._last_report = 0.0
        self._reported_step = 0
        self._folder = run.identity()
        self._phase: Phase = "starting"
        self._stopping = False
        self._validation_accuracy: float | None = None

    def events(self) -> Iterator[AnyEvent]:
        """The whole training."""
        try:
            yield from self._train()
        except FolderMovedError:
            yield from self._end_elsewhere()
        except TrainingError as error:
            yield RunFinished(reason="failed", message=str(error))

    def _train(self) -> Iterator[AnyEvent]:
        epochs = self._job.recipe.epochs
        yield self._enter("running")
        for epoch in range(1, epochs + 1):
            self._epoch, self._batch = epoch, 0
            yield from self._train_one_epoch()
            if self._stopping:
                missing = yield from self._save_at_last("stopped")
                how = f"without a checkpoint: {missing}" if missing else "as asked"
                yield RunFinished(reason="stopped", message=f"at step {self._step:,}, {how}")
                return
            yield from self._validate()
            if epoch < epochs:
                yield from self._save("epoch")
        missing = yield from self._save_at_last("epoch")
        yield RunFinished(reason="finished", message=f"without its last checkpoint: {missing}" if missing else "")

    def _train_one_epoch(self) -> Iterator[AnyEvent]:
        job, meter = self._job, self._meter
        meter.epoch, meter.log = Tally(), Tally()
        started = self._stopwatch.read()
        self._validation_accuracy = None
        for images, labels in job.batches.in_order(job.order.epoch(self._epoch)):
            job.optimizer.zero_grad()
            logits = job.module(job.augment(images, self._step))
            loss = LOSSES[job.recipe.loss](logits, labels)
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
        tally, log, now = self._meter.report, self._meter.log, self._stopwatch.read()
        if not tally.batches:
            return
        on_gpu = self._job.device.type == "cuda"
        yield StepsReported(
            step=self._step,
            epoch=self._epoch,
            loss=finite_or_none(tally.loss),
            running_loss=finite_or_none(log.loss) if log.batches else None,
            accuracy=tally.accuracy,
            learning_rate=self._job.optimizer.param_groups[0]["lr"],
            images_per_second=tally.images / max(now - self._last_report, 1e-6),
            device_memory=torch.cuda.memory_allocated() if on_gpu else None,
            finite=math.isfinite(tally.loss),
        )
        if not math.isfinite(tally.loss):
            raise self._diverged("the loss")
        self._meter.report, self._last_report = Tally(), now
        self._reported_step = self._step

    def _log(self) -> Iterator[AnyEvent]:
        self._meter.read()
        yield LossLogged(epoch=self._epoch, batch=self._batch, loss=finite_or_none(self._meter.log.loss))
        self._meter.log = Tally()

    def _obey(self) -> Iterator[AnyEvent]:
        """Carry out the commands that arrived; while paused, wait here for the next."""
        paused = False
        while True:
            for command in (yield from self._take_commands()):
                match command:
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

    def _take_commands(self) -> Generator[AnyEvent, None, list[str]]:
        """Acknowledge the commands that arrived, once it is sure that the run's folder is still there."""
        if self._folder_is_gone():
            raise FolderMovedError
        controls, problem = self._inbox.read_new()
        if problem:
            yield Warned(message=problem)
        for control in controls:
            yield ControlAcknowledged(control=control.id, command=control.command, step=self._step)
        return [control.command for control in controls]

    def _folder_is_gone(self) -> bool:
        try:
            return self._run.identity() != self._folder
        except OSError:  # a disk that does not answer now
            return False

    def _end_elsewhere(self) -> Iterator[AnyEvent]:
        """End a run whose folder was moved, with a checkpoint where it is now, or removed."""
        former, elsewhere = self._run.folder, self._run.moved_to()
        if elsewhere:
            self._run = elsewhere
            reason = yield from self._write(self._state(), "stopped")
            saved = f"its last checkpoint could not be saved: {reason}" if reason else "its last checkpoint is there"
            message = f"{former} was moved to {elsewhere.folder} while the run went on; {saved}"
        else:
            message = f"{former} was moved or removed while the run went on, with what came after its last checkpoint"
        yield RunFinished(reason="failed", message=f"{message}. Move runs that have ended.")

    def _validate(self) -> Iterator[AnyEvent]:
        """Judge the network on the held-out training images, if the recipe names any."""
        held_out = self._job.validation
        if held_out is None:
            return
        with self._stopwatch.halted():
            yield self._enter("evaluating")
            loss_sum, correct = 0.0, 0
            for logits, labels in predict(self._job.module, held_out, self._job.recipe.normalize, self._job.device):
                loss_sum += LOSSES[self._job.recipe.loss](logits, labels, reduction="sum").item()
                correct += int((logits.argmax(dim=1) == labels).sum())
            images = len(held_out)
            self._validation_accuracy = correct / images
            yield Validated(
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
            state = self._state()
            reason = yield from self._write(state, cause)
            if reason:
                yield Warned(message=f"the checkpoint of step {self._step:,} could not be saved: {reason}")
            yield self._enter(before)

    def _save_at_last(self, cause: str) -> Generator[AnyEvent, None, str]:
        """Write the checkpoint that the run ends with, waiting for room if need be; return why not, or nothing."""
        with self._stopwatch.halted():
            yield self._enter("saving")
            state = self._state()
            reason = yield from self._write(state, cause)
            if reason:
                yield Warned(
                    message=f"the last checkpoint (step {self._step:,}) could not be saved: {reason}; it is saved "
                    "as soon as that is possible, and a stop now ends the run without it"
                )
            needed = sum(tensor.nbytes for tensor in state.values())
            since = last_try = time.monotonic()
            while reason and time.monotonic() - since < HOLD_SECONDS:
                time.sleep(LOOK_SECONDS)
                if "stop" in (yield from self._take_commands()):
                    break
                if time.monotonic() - last_try >= RETRY_SECONDS and self._free_bytes() > needed:
                    reason = yield from self._write(state, cause)
                    last_try = time.monotonic()
        return reason

    def _state(self) -> dict[str, torch.Tensor]:
        """Everything that a checkpoint holds, once it is sure that all of it are finite numbers."""
        state = training_tensors(self._job.module, self._job.optimizer)
        if broken := not_finite(state):
            raise self._diverged(broken)
        return state

    def _write(self, state: dict[str, torch.Tensor], cause: str) -> Generator[AnyEvent, None, str]:
        """Write a checkpoint and remove those that it makes needless; return why it was not written, or nothing."""
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
            facts = write_checkpoint(self._run, state, facts)
        except OSError as error:
            return obstacle(error)
        yield CheckpointSaved(step=facts.step, epoch=facts.epoch, file=f"{facts.stem}.safetensors", bytes=facts.bytes)
        try:
            for pruned in prune(self._run):
                yield CheckpointPruned(step=pruned.step, epoch=pruned.epoch, reason=why_pruned(pruned))
        except OSError as error:
            yield Warned(message=f"old checkpoints could not be removed: {obstacle(error)}")
        return ""

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._run.folder).free
        except OSError:
            return 0

    def _diverged(self, what: str) -> TrainingError:
        return TrainingError(
            f"{what} stopped being a finite number between steps {self._reported_step + 1:,} and {self._step:,}; "
            f"lower the learning rate (it is {self._job.recipe.optimizer.learning_rate:g}) and train again."
        )

    def _enter(self, phase: Phase) -> StateChanged:
        self._phase = phase
        return StateChanged(state=phase)
