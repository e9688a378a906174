"""Checkpoints of a training: written while it halts, on disks that may be full, in a folder that may have moved."""

import shutil
import time
from collections.abc import Callable, Generator, Iterator

from cifartui.errors import CifartuiError, DataError, obstacle
from cifartui.training.meter import Stopwatch
from cifartui.training.run.checkpoints import (
    CheckpointFacts,
    damage,
    list_checkpoints,
    remove_checkpoint,
)
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    Phase,
    RunFinished,
    StateChanged,
    Warned,
)
from cifartui.training.run.folder import Run
from cifartui.training.run.keeping import KEPT_CAUSES, prune, why_pruned
from cifartui.training.setup import Job
from cifartui.training.snapshot import read_state, write_checkpoint
from cifartui.training.state import State, collect, not_finite, restore

LOOK_SECONDS = 0.05
"""Between two looks at whether a wait has an end."""
RETRY_SECONDS = 1.0
"""Between two tries to save a run's last checkpoint on a full disk."""
HOLD_SECONDS = 12 * 3600.0
"""For so long a run waits for room for its last checkpoint."""


class NotSavedError(CifartuiError):
    """A state that no checkpoint may hold, since some of it are no finite numbers."""


class Phases:
    """The phase that the run is in."""

    def __init__(self) -> None:
        self.now: Phase = "starting"

    def enter(self, phase: Phase) -> StateChanged:
        """Go to another phase; the event says so."""
        self.now = phase
        return StateChanged(state=phase)


class Saver:
    """Saves a training, and takes it back to what was saved."""

    def __init__(self, run: Run, job: Job, phases: Phases, stopwatch: Stopwatch) -> None:
        self.run = run
        self._job, self._phases, self._stopwatch = job, phases, stopwatch
        self._folder = run.identity()
        self.validation_accuracy: float | None = None
        """Of the network as it is, if it was measured."""

    @property
    def folder_is_gone(self) -> bool:
        """Whether the run's folder is not at its place any more."""
        try:
            return self.run.identity() != self._folder
        except OSError:  # a disk that does not answer now
            return False

    def save(self, cause: str) -> Generator[AnyEvent, None, str]:
        """Write a checkpoint; what keeps it from being written is warned of, returned, and does not end the training.

        Raises:
            NotSavedError: the state holds numbers that are not finite.
        """
        before = self._phases.now
        with self._stopwatch.halted():
            yield self._phases.enter("saving")
            reason = yield from self._write(self._state(), cause)
            if reason:
                step = self._job.position.step
                yield Warned(message=f"the checkpoint of step {step:,} could not be saved: {reason}")
            yield self._phases.enter(before)
        return reason

    def save_at_last(
        self, cause: str, told_to_stop: Callable[[], Generator[AnyEvent, None, bool]]
    ) -> Generator[AnyEvent, None, str]:
        """Write the checkpoint that the run ends with, waiting for room if need be; return why not, or nothing.

        Raises:
            NotSavedError: the state holds numbers that are not finite.
        """
        with self._stopwatch.halted():
            yield self._phases.enter("saving")
            state = self._state()
            reason = yield from self._write(state, cause)
            if reason:
                yield Warned(
                    message=f"the last checkpoint (step {self._job.position.step:,}) could not be saved: {reason}; it "
                    "is saved as soon as that is possible, and a stop now ends the run without it"
                )
            needed = sum(tensor.nbytes for tensor in state.tensors.values())
            since = last_try = time.monotonic()
            while reason and time.monotonic() - since < HOLD_SECONDS:
                time.sleep(LOOK_SECONDS)
                if (yield from told_to_stop()):
                    break
                if time.monotonic() - last_try >= RETRY_SECONDS and self._free_bytes() > needed:
                    reason = yield from self._write(state, cause)
                    last_try = time.monotonic()
        return reason

    def go_on_from(self, facts: CheckpointFacts) -> Iterator[AnyEvent]:
        """Take over what is known of a checkpoint that was restored; those of later steps go."""
        self._stopwatch.set(facts.epoch_seconds or 0.0)
        self.validation_accuracy = facts.validation_accuracy
        for later in list_checkpoints(self.run):
            if later.step > facts.step:
                yield from self._remove(later, f"the run went back to step {facts.step:,}")

    def start_anew(self) -> Iterator[AnyEvent]:
        """Remove the damaged checkpoints of a former start, which would count as newer than what this one saves."""
        for former in list_checkpoints(self.run):
            if damage(self.run, former):
                yield from self._remove(former, "it is damaged, and the run starts from the beginning")

    def go_back(self) -> Generator[AnyEvent, None, CheckpointFacts | None]:
        """Take the training back to its newest checkpoint that is whole; return which, None if there is none."""
        for facts in reversed(list_checkpoints(self.run)):
            try:
                restore(self._job.parts, read_state(self.run, facts))
            except DataError as error:
                yield Warned(message=f"{str(error).rstrip('.')}; the one before is used instead")
                continue
            yield from self.go_on_from(facts)
            return facts
        return None

    def end_elsewhere(self) -> Iterator[AnyEvent]:
        """End a run whose folder was moved, with a checkpoint where it is now, or removed."""
        former, elsewhere = self.run.folder, self.run.moved_to()
        if elsewhere:
            self.run = elsewhere
            reason = yield from self._write(self._state(), "stopped")
            saved = f"its last checkpoint could not be saved: {reason}" if reason else "its last checkpoint is there"
            message = f"{former} was moved to {elsewhere.folder} while the run went on; {saved}"
        else:
            message = f"{former} was moved or removed while the run went on, with what came after its last checkpoint"
        yield RunFinished(reason="failed", message=f"{message}. Move runs that have ended.")

    def _state(self) -> State:
        state = collect(self._job.parts)
        if broken := not_finite(state.tensors):
            raise NotSavedError(f"{broken} holds values that are not finite numbers")
        return state

    def _write(self, state: State, cause: str) -> Generator[AnyEvent, None, str]:
        """Write a checkpoint and remove those that it makes needless; return why it was not written, or nothing."""
        position = self._job.position
        formerly = {facts.step: facts.cause for facts in list_checkpoints(self.run)}
        if formerly.get(position.step) in KEPT_CAUSES:  # written again, it is kept as before
            cause = formerly[position.step]
        facts = CheckpointFacts(
            run=self.run.id,
            step=position.step,
            epoch=position.epoch,
            batch=position.batch,
            cause=cause,
            validation_accuracy=self.validation_accuracy,
            sha256="",
            bytes=0,
            created=time.time(),
            epoch_seconds=self._stopwatch.read(),
            steps_per_epoch=position.steps_per_epoch,
        )
        try:
            facts = write_checkpoint(self.run, state, facts)
        except OSError as error:
            return obstacle(error)
        yield CheckpointSaved(
            step=facts.step, epoch=facts.epoch, file=f"{facts.stem}.safetensors", bytes=facts.bytes, cause=cause
        )
        try:
            keep = self._job.recipe.checkpoints.keep
            for pruned in prune(self.run, keep):
                yield CheckpointPruned(step=pruned.step, epoch=pruned.epoch, reason=why_pruned(pruned, keep))
        except OSError as error:
            yield Warned(message=f"old checkpoints could not be removed: {obstacle(error)}")
        return ""

    def _remove(self, facts: CheckpointFacts, reason: str) -> Iterator[AnyEvent]:
        try:
            remove_checkpoint(self.run, facts)
            yield CheckpointPruned(step=facts.step, epoch=facts.epoch, reason=reason)
        except OSError as error:
            yield Warned(message=f"the checkpoint of step {facts.step:,} could not be removed: {obstacle(error)}")

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self.run.folder).free
        except OSError:
            return 0
