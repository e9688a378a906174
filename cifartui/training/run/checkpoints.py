"""The checkpoints of a run: facts as JSON, read without torch; a checkpoint is there when its facts are."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from cifartui.errors import DataError
from cifartui.files import open_file, sha256_of
from cifartui.text import printable
from cifartui.training.run.events import Count
from cifartui.training.run.folder import Run


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
    pinned: bool = False
    """Whether a person keeps it; found when checkpoints are listed, and not in the file."""

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
_DECODER = msgspec.json.Decoder(CheckpointFacts)


def encode_facts(facts: CheckpointFacts) -> bytes:
    """A checkpoint's facts as JSON, with a check over their own bytes."""
    document = msgspec.to_builtins(facts)
    del document["pinned"]
    body = msgspec.json.format(msgspec.json.encode(document)).removesuffix(b"\n}")
    return body + CHECK + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def decode_facts(data: bytes) -> CheckpointFacts:
    """Read a checkpoint's facts.

    Raises:
        DataError: they are damaged.
    """
    try:
        facts = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"no facts of a checkpoint: {printable(str(error), 200)}") from error
    body, mark, check = data.rpartition(CHECK)
    if (mark or facts.epoch_seconds is not None) and check != hashlib.sha256(body).hexdigest().encode() + b'"\n}\n':
        raise DataError("its facts are not those that were written")
    return facts


def list_checkpoints(run: Run) -> list[CheckpointFacts]:
    """The whole checkpoints of a run, oldest first; files that are not a whole checkpoint are passed over."""
    files = _files(run)
    found = (_read_facts(files, stem) for stem in _stems(files))
    return sorted((facts for facts in found if not isinstance(facts, str)), key=lambda facts: facts.step)


def broken_checkpoints(run: Run) -> dict[int, str]:
    """By its step, why a checkpoint that was saved is not among the whole ones."""
    files = _files(run)
    found = ((stem.removeprefix("step-"), _read_facts(files, stem)) for stem in _stems(files))
    return {int(step): why for step, why in found if isinstance(why, str) and step.isdecimal()}


def damage(run: Run, facts: CheckpointFacts) -> str:
    """What is wrong with a checkpoint's tensors, which are read for it; else nothing."""
    try:
        intact = sha256_of(tensors_file(run, facts)) == facts.sha256
    except OSError as error:
        return f"its file cannot be read: {error.strerror}"
    return "" if intact else "its sha256 is not that of the file that was saved"


def _files(run: Run) -> "dict[str, os.DirEntry[str]]":
    """The files of a run's checkpoints, by name."""
    try:
        with os.scandir(run.checkpoints_folder) as entries:
            return {entry.name: entry for entry in entries if entry.name.startswith("step-")}
    except OSError:
        return {}


def _stems(files: Iterable[str]) -> Iterator[str]:
    return (name.removesuffix(".json") for name in files if name.endswith(".json"))


def _read_facts(files: "dict[str, os.DirEntry[str]]", stem: str) -> CheckpointFacts | str:
    """A checkpoint's facts, or why it is not whole."""
    try:
        with open_file(Path(files[f"{stem}.json"].path)) as file:
            facts = decode_facts(file.read())
        if facts.stem != stem:
            return "its facts are of another checkpoint"
        length = files[f"{stem}.safetensors"].stat().st_size
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except KeyError:
        return "its file is gone"
    if length != facts.bytes:
        return f"its file has {length:,} of {facts.bytes:,} bytes"
    return msgspec.structs.replace(facts, pinned=True) if f"{stem}.pin" in files else facts


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


def remove_checkpoint(run: Run, facts: CheckpointFacts) -> None:
    """Remove a checkpoint and its pin; what is gone already is passed over.

    Raises:
        OSError: it cannot be removed.
    """
    for path in (facts_file(run, facts), tensors_file(run, facts), pin_file(run, facts)):
        path.unlink(missing_ok=True)


def tensors_file(run: Run, facts: CheckpointFacts) -> Path:
    """The safetensors file of a checkpoint."""
    return run.checkpoints_folder / f"{facts.stem}.safetensors"


def facts_file(run: Run, facts: CheckpointFacts) -> Path:
    """The JSON file that marks a checkpoint as whole."""
    return run.checkpoints_folder / f"{facts.stem}.json"


def pin_file(run: Run, facts: CheckpointFacts) -> Path:
    """The empty file that says, where it is there, that a checkpoint is pinned."""
    return run.checkpoints_folder / f"{facts.stem}.pin"
