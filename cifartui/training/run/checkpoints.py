"""The checkpoints of a run: facts as JSON, read without torch; a checkpoint is there when its facts are."""

from pathlib import Path
from typing import Annotated

import msgspec

from cifartui.errors import DataError
from cifartui.files import open_file
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

    @property
    def stem(self) -> str:
        """File name without suffix: `step-00012500`."""
        return f"step-{self.step:08d}"


def list_checkpoints(run: Run) -> list[CheckpointFacts]:
    """The whole checkpoints of a run, oldest first; files that are not a whole checkpoint are passed over."""
    facts = []
    for path in sorted(run.checkpoints_folder.glob("step-*.json")):
        try:
            with open_file(path) as file:
                read = msgspec.json.decode(file.read(), type=CheckpointFacts)
            length = tensors_file(run, read).stat().st_size
        except (OSError, msgspec.MsgspecError):
            continue
        if length == read.bytes:
            facts.append(read)
    return facts


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
        facts_file(run, facts).unlink(missing_ok=True)
        tensors_file(run, facts).unlink(missing_ok=True)
    return pruned


def tensors_file(run: Run, facts: CheckpointFacts) -> Path:
    """The safetensors file of a checkpoint."""
    return run.checkpoints_folder / f"{facts.stem}.safetensors"


def facts_file(run: Run, facts: CheckpointFacts) -> Path:
    """The JSON file that marks a checkpoint as whole."""
    return run.checkpoints_folder / f"{facts.stem}.json"
