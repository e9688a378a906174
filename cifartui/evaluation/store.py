"""Results that were computed once and are kept: in the run's folder, by checkpoint and data set; read without torch."""

import hashlib
import time
from pathlib import Path

import msgspec

from cifartui.evaluation.results import Evaluation, from_confusion
from cifartui.files import write_durably
from cifartui.training.checkpoints import CheckpointFacts
from cifartui.training.run import Run

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

    @property
    def reference(self) -> str:
        """`RUN@STEP`."""
        return f"{self.checkpoint.run}@{self.checkpoint.step}"


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
    for path in sorted(folder.glob("step-*.json"), key=_written)[:-KEPT_RESULTS]:
        path.unlink(missing_ok=True)


def kept_evaluations(run: Run) -> list[KeptEvaluation]:
    """The results of a run, the newest last; files that are damaged are passed over."""
    read = (_read(path) for path in _folder(run).glob("step-*.json"))
    return sorted((kept for kept in read if kept), key=lambda kept: kept.evaluated)


def result_of(
    results: list[KeptEvaluation], checkpoint: CheckpointFacts, dataset_sha256: str | None
) -> KeptEvaluation | None:
    """The newest of a checkpoint's results, one on the data set given before those on others."""
    its = [kept for kept in results if kept.checkpoint.sha256 == checkpoint.sha256]
    return max(its, key=lambda kept: (kept.dataset_sha256 == dataset_sha256, kept.evaluated), default=None)


def _folder(run: Run) -> Path:
    return run.folder / "evaluations"


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # another evaluation has just removed it
        return 0


def _read(path: Path) -> KeptEvaluation | None:
    """Read a result; of what the file says, only the counts are believed, and the rest is derived from them again."""
    try:
        if path.stat().st_size > MAX_BYTES:
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
