"""What a run would have been if nobody had disturbed it, and what a disturbed one's journal says in the end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from cifartui.training import loop, steering
from cifartui.training.loop import train
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.controls import AnyControl, ChangeEpochs, ChangeRate, ControlInbox
from cifartui.training.run.events import (
    AnyEvent,
    EpochFinished,
    EpochsChanged,
    LearningRateChanged,
    LossLogged,
    RunStarted,
    StepsReported,
    Validated,
    WentBack,
)
from cifartui.training.run.folder import RunConfig, create_run
from cifartui.training.setup import Job, prepare

NETWORK = """
name = "chancy"
input = [3, 32, 32]
layers = [
    { kind = "conv2d", name = "conv", in_channels = 3, out_channels = 4, kernel_size = 5, stride = 3 },
    { kind = "batch_norm2d", name = "norm", num_features = 4 },
    { kind = "relu", name = "relu" },
    { kind = "dropout", name = "dropout", p = 0.3 },
    { kind = "flatten", name = "flatten" },
    { kind = "linear", name = "fc", in_features = 400, out_features = 10 },
]
"""
"""Small, with all that depends on chance or on former steps."""
EVERYTHING = (
    "initialization=whitened",
    "label_smoothing=0.1",
    "precision=bf16",
    "channels_last=true",
    "augment.flip=true",
    "augment.crop_padding=4",
    "augment.cutout=8",
    "augment.brightness=0.2",
    "mixing.name=cutmix",
    "optimizer.nesterov=true",
    "optimizer.weight_decay=0.001",
    "optimizer.decay_norm_and_bias=false",
    "schedule.name=cosine",
    "schedule.warmup_epochs=0.5",
    "schedule.end_factor=0.1",
    "clipping.name=norm",
    "average.name=ema",
    "average.decay=0.95",
    "stopping.name=patience",
)
"""Settings of a recipe that makes use of all that there is; it needs held-out images."""

Told = StepsReported | LossLogged | EpochFinished | Validated | LearningRateChanged | EpochsChanged


class AtSteps(ControlInbox):
    """Commands that arrive once so many steps are taken."""

    def __init__(self, job: Job, commands: dict[int, list[AnyControl]]) -> None:
        self._job, self._commands = job, dict(commands)

    def read_new(self) -> tuple[list[AnyControl], str]:
        return self._commands.pop(self._job.position.step, []), ""


@contextmanager
def looking_at_every_step() -> Iterator[None]:
    """The loop looks for commands and reports after every step."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "LOOK_SECONDS", 0.0)
        patched.setattr(loop, "REPORT_SECONDS", 0.0)
        patched.setattr(steering, "LOOK_SECONDS", 0.0)
        yield


def undisturbed(config: RunConfig, changes: Iterable[AnyEvent] = ()) -> tuple[list[Told], str]:
    """Train with rate and epochs changed at the same steps; what was told, and the last checkpoint's sha256."""
    run = create_run(config)
    job = prepare(config)
    commands: dict[int, list[AnyControl]] = {}
    for change in changes:
        if isinstance(change, LearningRateChanged):
            commands.setdefault(change.step, []).append(ChangeRate(to=change.after))
        if isinstance(change, EpochsChanged):
            commands.setdefault(change.step, []).append(ChangeEpochs(epochs=change.after))
    with looking_at_every_step():
        events = list(train(run, job, AtSteps(job, commands)))
    return what_holds(events, job.position.steps_per_epoch), list_checkpoints(run)[-1].sha256


def what_holds(events: Iterable[AnyEvent], steps_per_epoch: int) -> list[Told]:
    """What of a journal still holds, with numbers and times left out: nothing of steps that were gone back over.

    A start of the run says how many epochs it has from there on; going back within one changes nothing of that.
    """
    epochs = 0
    held: list[Told] = []
    for event in events:
        if isinstance(event, RunStarted | WentBack):
            held = [told for told in held if step_of(told, steps_per_epoch) <= event.step]
            epochs = event.epochs if isinstance(event, RunStarted) else epochs
            if epochs:
                held.append(EpochsChanged(step=event.step, before=epochs, after=epochs))
        elif isinstance(event, Told):
            epochs = event.after if isinstance(event, EpochsChanged) else epochs
            held.append(event)
    return held


def step_of(told: Told, steps_per_epoch: int) -> int:
    """The number of steps taken when something was told."""
    if isinstance(told, LossLogged):
        return (told.epoch - 1) * steps_per_epoch + told.batch
    return told.step


def assert_as_undisturbed(told: list[Told], reference: list[Told], steps_per_epoch: int) -> None:
    """Every log line, epoch and validation is the reference's; every report is the mean of the reference's steps.

    Reports come on time, not on steps: a report over several steps is compared with the sums of the reference's, which
    has one for each step.
    """
    for kind in (LossLogged, EpochFinished, Validated):
        assert _bare(told, kind) == _bare(reference, kind)
    steps = {event.step: event for event in reference if isinstance(event, StepsReported)}
    before = 0
    for report in (event for event in told if isinstance(event, StepsReported)):
        stretch = [steps[step] for step in range(before + 1, report.step + 1)]
        last = stretch[-1]
        assert (report.epoch, report.running_loss, report.learning_rate) == (
            last.epoch,
            last.running_loss,
            last.learning_rate,
        )
        assert report.step > before
        if len(stretch) == 1:
            assert (report.loss, report.accuracy) == (last.loss, last.accuracy)
        else:
            total = 0.0
            for step in stretch:
                assert step.loss is not None
                total += step.loss
            assert report.loss == total / len(stretch)
        before = report.step
    assert before == max(steps)


def _bare(told: list[Told], kind: type[Told]) -> list[dict[str, object]]:
    hidden = {"seq", "time", "seconds"}
    return [
        {name: value for name, value in msgspec.structs.asdict(event).items() if name not in hidden}
        for event in told
        if isinstance(event, kind)
    ]
