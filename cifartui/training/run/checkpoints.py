"""The checkpoints of a run: facts as JSON, read without torch; a checkpoint is there when its facts are."""

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec

from cifartui.errors import DataError
from cifartui.files import open_file, sha256_of
from cifartui.text import printable
from cifartui.training.run.events import Count
from cifartui.training.run.folder import Run

KEPT_EPOCHS = 3
"""Checkpoints kept of those written at the ends of epochs, besides the best; those asked for are all kept."""


class CheckpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a checkpoint without opening its tensors."""

    run: str
    step: Count
    """Optimizer steps taken."""
    epoch: Count
    """The epoch in hand, from 1."""
    batch: Count
    """Batches of that epoch already taken: where training would go on."""
    cause: str
    """Why it was saved: "epoch" (its end), "asked for", "stopped"."""
    validation_accuracy: float | None
    """On the held-out images, if it was measured at this step."""
    sha256: str
    """Of the safetensors file."""
    bytes: Count
    created: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    """Unix time in seconds."""
    epoch_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Spent training in that epoch; None in checkpoints of older versions, which have no check either."""
    steps_per_epoch: Count = 0

    @property
    def epoch_is_over(self) -> bool:
        """Whether no batch of its epoch is left."""
        return self.batch >= self.steps_per_epoch

    @property
    def stem(self) -> str:
        """File name without suffix: `step-00012500`."""
        return f"step-{self.step:08d}"


CHECK = b',\n  "check": "'
"""What stands between a checkpoint's facts and the sha256 of all bytes before, at the end of their file."""


def encode_facts(facts: CheckpointFacts) -> bytes:
    """A checkpoint's facts as JSON, with a check over their own bytes."""
    body = msgspec.json.format(msgspec.json.encode(facts)).removesuffix(b"\n}")
    return body + CHECK + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def decode_facts(data: bytes) -> CheckpointFacts:
    """Read a checkpoint's facts.

    Raises:
        DataError: they are damaged.
    """
    try:
        facts = msgspec.json.decode(data, type=CheckpointFacts)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"no facts of a checkpoint: {printable(str(error), 200)}") from error
    body, _, check = data.rpartition(CHECK)
    if facts.epoch_seconds is not None and check != hashlib.sha256(body).hexdigest().encode() + b'"\n}\n':
        raise DataError("its facts are not those that were written")
    return facts


def list_checkpoints(run: Run) -> list[CheckpointFacts]:
    """The whole checkpoints of a run, oldest first; files that are not a whole checkpoint are passed over."""
    found = (_read_facts(run, path) for path in sorted(run.checkpoints_folder.glob("step-*.json")))
    return [facts for facts in found if isinstance(facts, CheckpointFacts)]


def broken_checkpoints(run: Run) -> dict[int, str]:
    """By its step, why a checkpoint that was saved is not among the whole ones."""
    broken = {}
    for path in sorted(run.checkpoints_folder.glob("step-*.json")):
        found, step = _read_facts(run, path), path.stem.removeprefix("step-")
        if isinstance(found, str) and step.isdecimal():
            broken[int(step)] = found
    return broken


def damage(run: Run, facts: CheckpointFacts) -> str:
    """What is wrong with a checkpoint's tensors, which are read for it; else nothing."""
    try:
        intact = sha256_of(tensors_file(run, facts)) == facts.sha256
    except OSError as error:
        return f"its file cannot be read: {error.strerror}"
    return "" if intact else "its sha256 is not that of the file that was saved"


def _read_facts(run: Run, path: Path) -> CheckpointFacts | str:
    """A checkpoint's facts, or why it is not whole."""
    try:
        with open_file(path) as file:
            facts = decode_facts(file.read())
        if facts.stem != path.stem:
            return "its facts are of another checkpoint"
        length = tensors_file(run, facts).stat().st_size
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return facts if length == facts.bytes else f"its file has {length:,} of {facts.bytes:,} bytes"


def best_checkpoint(checkpoints: list[CheckpointFacts]) -> CheckpointFacts | None:
    """The one with the highest accuracy on held-out images, the earliest of equals; None where none was measured."""
    measured = [facts for facts in checkpoints if facts.validation_accuracy is not None]
    return max(measured, key=lambda facts: facts.validation_accuracy or 0.0, default=None)


def find_checkpoint(run: Run, which: str) -> CheckpointFacts:
    """Find a run's checkpoint: `last`, `best` or a step.

    Raises:
        DataError: the run has none, or not this one.
    """
    checkpoints = list_checkpoints(run)
    if not checkpoints:
        raise DataError(f"Run {run.id} has no checkpoint: they are saved at the end of each epoch, and when asked for.")
    if which == "last":
        return checkpoints[-1]
    if which == "best":
        best = best_checkpoint(checkpoints)
        if not best:
            raise DataError(
                f"Run {run.id} held out no validation images, so none of its checkpoints is known to be the best; "
                f"use {run.id}@last."
            )
        return best
    steps = {str(facts.step): facts for facts in checkpoints}
    if which not in steps:
        names = ["last", *(["best"] if best_checkpoint(checkpoints) else []), *steps]
        raise DataError(f"Run {run.id} has no checkpoint {printable(which, 40)!r}; there are: {', '.join(names)}.")
    return steps[which]


def to_prune(checkpoints: list[CheckpointFacts]) -> list[CheckpointFacts]:
    """Which checkpoints are no longer needed: of those saved for an epoch's end, all but the best and the newest."""
    best = best_checkpoint(checkpoints)
    of_epochs = [facts for facts in checkpoints if facts.cause == "epoch"]
    return [facts for facts in of_epochs[:-KEPT_EPOCHS] if facts != best]


def why_pruned(facts: CheckpointFacts) -> str:
    """Why a checkpoint is no longer needed; without held-out images none is known to be the best."""
    newest = f"the {KEPT_EPOCHS} newest epochs stay"
    return newest if facts.validation_accuracy is None else f"the best and {newest}"


def prune(run: Run) -> list[CheckpointFacts]:
    """Remove the checkpoints that are no longer needed and return their facts; what is gone already is passed over.

    Raises:
        OSError: one cannot be removed.
    """
    pruned = to_prune(list_checkpoints(run))
    for facts in pruned:
        remove_checkpoint(run, facts)
    return pruned


def remove_checkpoint(run: Run, facts: CheckpointFacts) -> None:
    """Remove a checkpoint; what is gone already is passed over.

    Raises:
        OSError: it cannot be removed.
    """
    facts_file(run, facts).unlink(missing_ok=True)
    tensors_file(run, facts).unlink(missing_ok=True)


def tensors_file(run: Run, facts: CheckpointFacts) -> Path:
    """The safetensors file of a checkpoint."""
    return run.checkpoints_folder / f"{facts.stem}.safetensors"


def facts_file(run: Run, facts: CheckpointFacts) -> Path:
    """The JSON file that marks a checkpoint as whole."""
    return run.checkpoints_folder / f"{facts.stem}.json"
