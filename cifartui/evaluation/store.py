"""Results that were computed once and are kept: in the run's folder, by checkpoint and data set; read without torch."""

import hashlib
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from cifartui.errors import CifartuiError
from cifartui.evaluation.results import Evaluation, from_confusion
from cifartui.files import write_durably
from cifartui.training.run.checkpoints import CheckpointFacts, list_checkpoints
from cifartui.training.run.events import CheckpointPruned
from cifartui.training.run.folder import Run

KEPT_RESULTS = 100
"""Of a run; when there are more, the oldest go."""
MAX_BYTES = 32 * 1024**2
"""Of a file of results; a confusion matrix of 1,000 classes takes two megabytes."""


class KeptEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A result, and the checkpoint that it is of, which may be gone by now."""

    checkpoint: CheckpointFacts
    dataset_sha256: str
    evaluated: float
    """Unix time in seconds."""
    evaluation: Evaluation


def keep_evaluation(run: Run, checkpoint: CheckpointFacts, dataset_sha256: str, evaluation: Evaluation) -> None:
    """Keep a result; a former one of the same checkpoint on the same data set is replaced, the oldest go.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    folder = _folder(run)
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = KeptEvaluation(
        checkpoint=checkpoint, dataset_sha256=dataset_sha256, evaluated=time.time(), evaluation=evaluation
    )
    contents = hashlib.sha256(f"{checkpoint.sha256} {dataset_sha256}".encode()).hexdigest()
    write_durably(folder / f"{checkpoint.stem}-{contents[:16]}.json", msgspec.json.encode(kept))
    for path in sorted(folder.glob("step-*.json"), key=_stamp)[:-KEPT_RESULTS]:
        path.unlink(missing_ok=True)


def kept_evaluations(run: Run) -> list[KeptEvaluation]:
    """The results of a run, the newest last; files that are damaged are passed over."""
    found = (_read(path, _stamp(path)) for path in _folder(run).glob("step-*.json"))
    return sorted((kept for kept in found if kept), key=lambda kept: kept.evaluated)


class JudgedCheckpoint(NamedTuple):
    """A checkpoint with its result, if it has one; it may be gone while its result is kept."""

    run: Run
    facts: CheckpointFacts
    result: KeptEvaluation | None
    is_there: bool

    @property
    def reference(self) -> str:
        """`RUN@STEP`."""
        return f"{self.run.id}@{self.facts.step}"


def judged_checkpoints(run: Run) -> list[JudgedCheckpoint]:
    """A run's checkpoints, and those of which only the result is left, the newest first."""
    results = kept_evaluations(run)
    try:
        own_dataset = run.config().dataset_sha256
    except CifartuiError:  # what a damaged run was trained on is not known; its checkpoints are there all the same
        own_dataset = ""
    there = {facts.sha256: facts for facts in list_checkpoints(run)}
    gone = {kept.checkpoint.sha256: kept.checkpoint for kept in results if kept.checkpoint.sha256 not in there}
    judged = [
        JudgedCheckpoint(run, facts, result_of(results, facts, own_dataset), is_there=facts.sha256 in there)
        for facts in (*there.values(), *gone.values())
    ]
    return sorted(judged, key=lambda checkpoint: checkpoint.facts.step, reverse=True)


def result_of(results: list[KeptEvaluation], checkpoint: CheckpointFacts, dataset_sha256: str) -> KeptEvaluation | None:
    """The newest of a checkpoint's results, one on the data set given before those on others."""
    its = [kept for kept in results if kept.checkpoint.sha256 == checkpoint.sha256]
    return max(its, key=lambda kept: (kept.dataset_sha256 == dataset_sha256, kept.evaluated), default=None)


def last_result(run: Run) -> KeptEvaluation | None:
    """The result of a run's last checkpoint on the data set that it was trained on, if it was evaluated on that."""
    last = next(iter(judged_checkpoints(run)), None)
    if last is None or last.result is None:
        return None
    try:
        return last.result if last.result.dataset_sha256 == run.config().dataset_sha256 else None
    except CifartuiError:
        return None


def why_gone(checkpoint: JudgedCheckpoint) -> str:
    """Why a checkpoint was removed, in the words of the run's journal; empty where that does not say."""
    decoder = msgspec.json.Decoder(CheckpointPruned)
    reason = ""
    with suppress(OSError), checkpoint.run.journal_file.open("rb") as journal:
        for line in journal:
            if b'"CheckpointPruned"' in line:
                with suppress(msgspec.MsgspecError):
                    event = decoder.decode(line)
                    reason = event.reason if event.step == checkpoint.facts.step else reason
    return reason


def _folder(run: Run) -> Path:
    return run.folder / "evaluations"


def _stamp(path: Path) -> tuple[int, int, int]:
    """When a file was written, and what else tells it from one that was there before."""
    try:
        status = path.stat()
    except OSError:  # another evaluation has just removed it
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=256)  # whoever watches the list asks again and again
def _read(path: Path, stamp: tuple[int, int, int]) -> KeptEvaluation | None:
    """Read a result; of what the file says, only the counts are believed, and the rest is derived from them again."""
    try:
        if stamp[1] > MAX_BYTES:
            return None
        kept = msgspec.json.decode(path.read_bytes(), type=KeptEvaluation)
    except (OSError, msgspec.MsgspecError):
        return None
    said = kept.evaluation
    classes = len(said.per_class)
    if [len(row) for row in said.confusion] != [classes] * classes or not any(map(any, said.confusion)):
        return None
    derived = from_confusion(
        said.confusion,
        [result.name for result in said.per_class],
        checkpoint=said.checkpoint,
        dataset=said.dataset,
        seconds=said.seconds,
    )
    return msgspec.structs.replace(kept, evaluation=derived)
