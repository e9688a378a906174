"""What a run tells: frozen events, one JSON object a line in its journal."""

import math
from typing import Annotated, Literal

import msgspec

Phase = Literal["queued", "starting", "running", "paused", "evaluating", "saving"]
Reason = Literal["finished", "stopped", "failed"]
Cause = Literal["", "not finite", "out of memory", "device"]
"""What of the machine or the numbers ended a run; empty for anything else."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Some = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""A count of what is divided by."""
Rate = Annotated[float, msgspec.Meta(ge=0)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened in a run; the journal numbers it and notes the time."""

    seq: int = -1
    """Position in the journal, from 0, without gaps."""
    time: float = 0.0
    """Unix time in seconds."""


class RunStarted(Event, frozen=True, kw_only=True):
    """A host took the run up, for the first time or again; what it found before its first step."""

    run: str
    recipe: str
    dataset: str
    network: str
    device: str
    device_reason: str
    """Why this device was chosen, in words."""
    epochs: Count
    steps_per_epoch: Count
    batch_size: Some
    train_images: Count
    validation_images: Count
    parameters: Count
    learning_rate: float
    """Of its first step, by the recipe's schedule and as it was turned."""
    seed: int
    host_pid: int
    step: Count = 0
    """The steps that were taken before; what the journal says of later ones is void."""
    turned: float | None = None
    """How many times the recipe's learning rate, along its schedule, it was turned to; None in older journals."""
    parent: str = ""
    """`RUN@STEP`, the checkpoint of another run that this one goes on from; else empty."""
    device_type: Literal["", "cpu", "cuda", "mps"] = ""
    """What torch calls the device; empty where it was not noted."""
    device_uuid: str = ""
    """By which the driver of an NVIDIA GPU knows it; empty for other devices."""


class StateChanged(Event, frozen=True, kw_only=True):
    """The run went on to another phase."""

    state: Phase


class Queued(Event, frozen=True, kw_only=True):
    """The run waits for others, or for others than before."""

    behind: tuple[str, ...]
    """Their ids, the first to train first."""


class StepsReported(Event, frozen=True, kw_only=True):
    """Progress, at most ten times a second; means are over the steps since the report before."""

    step: Count
    """Optimizer steps taken since the start of the run."""
    epoch: Count
    """The epoch in hand, from 1."""
    loss: float | None
    """Mean; None when it is not a finite number."""
    running_loss: float | None
    """The tutorial's running loss: the mean since the last log line; None also when no step was taken since."""
    accuracy: float
    """Share of right answers, 0-1."""
    learning_rate: float
    images_per_second: Rate
    device_memory: int | None = None
    """Bytes held on the training device; None on a CPU."""
    finite: bool = True
    """False when a loss was NaN or infinite."""


class SpeedMeasured(Event, frozen=True, kw_only=True):
    """Where the time of the steps since the last such event went, every few seconds; pauses and the like left out."""

    step: Count
    steps: Some
    images: Count
    seconds: Rate
    """Of training."""
    waiting: Rate
    """Seconds of it before a batch was there."""
    fixed: Rate | None = None
    """Seconds of it that do not depend on how many images a step has; None where that was not measured."""
    quickest: Rate = 0.0
    """Seconds of the quickest step on a CPU; 0 on other devices, which go on while the loop does."""
    multiply_adds: Rate = 0.0
    """A second, while no batch was waited for; 0 where the network's are not known."""
    multiply_adds_of_product: Rate = 0.0
    """A second, of a product of large matrices on the same device in the same precision."""


class LossLogged(Event, frozen=True, kw_only=True):
    """The tutorial's log line: mean loss over the last `log_every` mini-batches."""

    epoch: int
    batch: int
    """Mini-batches of this epoch so far."""
    loss: float | None

    @property
    def line(self) -> str:
        """In the tutorial's format: `[1,  2000] loss: 2.105`."""
        return f"[{self.epoch}, {self.batch:5d}] loss: {math.nan if self.loss is None else self.loss:.3f}"


class EpochFinished(Event, frozen=True, kw_only=True):
    """All training images were visited once more."""

    epoch: int
    step: int
    loss: float | None
    """Mean over the epoch's batches."""
    accuracy: float
    """Share of right answers while training, 0-1."""
    seconds: float
    """Time spent training; pauses, validation and saving left out."""


class Validated(Event, frozen=True, kw_only=True, tag="Evaluated"):
    """The network was judged on the held-out training images, by the average of its weights if one is kept."""

    step: Count
    epoch: Count
    images: Some
    correct: Count
    loss: float | None
    raw_correct: Count | None = None
    """Of the weights themselves where `correct` is of their average."""

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0-1."""
        return self.correct / self.images

    @property
    def raw_accuracy(self) -> float | None:
        """Share of right answers of the weights themselves, 0-1, where `accuracy` is of their average."""
        return None if self.raw_correct is None else self.raw_correct / self.images


class CheckpointSaved(Event, frozen=True, kw_only=True):
    """A checkpoint is whole on disk."""

    step: Count
    epoch: Count
    file: str
    """Name within the run's `checkpoints` folder."""
    bytes: Count
    cause: str = ""
    """Why it was saved: "epoch" (its end), "asked for", "stopped" …"""


class CheckpointPruned(Event, frozen=True, kw_only=True):
    """A checkpoint was removed."""

    step: Count
    epoch: Count
    reason: str
    """Why it is not kept, in words."""


class ControlAcknowledged(Event, frozen=True, kw_only=True):
    """A command to the run was taken; what it asks for comes next."""

    control: str
    """Its id."""
    command: str
    step: int


class ControlDone(Event, frozen=True, kw_only=True):
    """What a command asked for is done."""

    control: str
    """Its id."""
    command: str
    step: Count


class ControlRefused(Event, frozen=True, kw_only=True):
    """A command to the run was not carried out."""

    control: str
    """Its id."""
    command: str
    step: Count
    reason: str
    """Why not, and what to do, in a sentence."""


class LearningRateChanged(Event, frozen=True, kw_only=True):
    """The learning rate was turned by a command; the next step is the first with the new one."""

    step: Count
    before: float
    after: float


class EpochsChanged(Event, frozen=True, kw_only=True):
    """The run was asked for another number of epochs."""

    step: Count
    before: Count
    after: Count


class WentBack(Event, frozen=True, kw_only=True):
    """The run went back to a checkpoint; what the journal says of later steps is void."""

    step: Count
    """Of the checkpoint."""
    epoch: Count
    left: Count
    """The step from which it went back."""


class NotFiniteFound(Event, frozen=True, kw_only=True):
    """A step's loss or gradients were NaN or infinite; its update was not applied."""

    step: Count
    """The first such step, counted from 1."""
    epoch: Count
    batch: Count
    """In that epoch, from 1."""
    what: str
    """`the loss`, or the name of the first weight whose gradient it is."""
    skipped: Some
    """Steps not applied for that reason, up to this event."""


class MemoryExhausted(Event, frozen=True, kw_only=True):
    """A step needed more memory than the device has; it was not taken."""

    step: Count
    """Steps taken before it."""
    batch_size: Some
    fits: Count
    """The largest number of images at once that fits; 0 if not even one does."""


class Warned(Event, frozen=True, kw_only=True):
    """Something a person should know; training goes on."""

    message: str


class RunFinished(Event, frozen=True, kw_only=True):
    """A host ended the run; it can be taken up again."""

    reason: Reason
    message: str = ""
    cause: Cause = ""


class LineDamaged(Event, frozen=True, kw_only=True):
    """A line of the journal could not be read; made by its reader, never written."""

    line: int
    """From 1."""
    reason: str

    @property
    def sentence(self) -> str:
        """What a person is told."""
        return f"line {self.line} of the journal is damaged ({self.reason}) and was passed over"


AnyEvent = (
    RunStarted
    | StateChanged
    | Queued
    | StepsReported
    | SpeedMeasured
    | LossLogged
    | EpochFinished
    | Validated
    | CheckpointSaved
    | CheckpointPruned
    | ControlAcknowledged
    | ControlDone
    | ControlRefused
    | LearningRateChanged
    | EpochsChanged
    | WentBack
    | NotFiniteFound
    | MemoryExhausted
    | Warned
    | RunFinished
    | LineDamaged
)


def finite_or_none(value: float) -> float | None:
    """NaN and infinity have no place in JSON."""
    return value if math.isfinite(value) else None
