"""Which checkpoints stay: the rule, the pins that a person sets, and what a person removes."""

import secrets
import shutil
from contextlib import suppress

from cifartui.errors import CifartuiError
from cifartui.files import write_durably
from cifartui.training.run.checkpoints import (
    CheckpointFacts,
    best_checkpoint,
    damage,
    list_checkpoints,
    pin_file,
    remove_checkpoint,
)
from cifartui.training.run.folder import Run

ASKED_FOR = "asked for"
"""The cause of a checkpoint that a person wanted; it stays."""
FORKED = "fork"
"""The cause of the checkpoint that a run has from its parent; it stays, too, since the run has no other beginning."""
KEPT_CAUSES = (ASKED_FOR, FORKED)
_REMOVED = ".removed-"
"""What the names of folders begin with that are no runs any more, see `remove_run`."""


def to_prune(checkpoints: list[CheckpointFacts], keep: int) -> list[CheckpointFacts]:
    """Which of a run's checkpoints, the oldest first, are no longer needed.

    The best stays, the pinned, those asked for, a fork's first, and of the others the `keep` newest.
    """
    best = best_checkpoint(checkpoints)
    others = [facts for facts in checkpoints if facts.cause not in KEPT_CAUSES]
    return [facts for facts in others[:-keep] if facts != best and not facts.pinned]


def why_pruned(facts: CheckpointFacts, keep: int) -> str:
    """Why a checkpoint is no longer needed; without held-out images none is known to be the best."""
    newest = "the newest" if keep == 1 else f"the {keep:,} newest"
    if facts.validation_accuracy is not None:
        return f"the best and {newest} stay"
    return f"{newest} stays" if keep == 1 else f"{newest} stay"


def prune(run: Run, keep: int) -> list[CheckpointFacts]:
    """Remove the checkpoints that are no longer needed and return their facts; what is gone already is passed over.

    Raises:
        OSError: one cannot be removed.
    """
    pruned = to_prune(list_checkpoints(run), keep)
    for facts in pruned:
        remove_checkpoint(run, facts)
    return pruned


def pin(run: Run, facts: CheckpointFacts) -> None:
    """Keep a checkpoint until it is unpinned.

    Raises:
        OSError: it cannot be noted.
    """
    write_durably(pin_file(run, facts), b"")


def unpin(run: Run, facts: CheckpointFacts) -> None:
    """Let a checkpoint go when its turn comes.

    Raises:
        OSError: the pin cannot be removed.
    """
    pin_file(run, facts).unlink(missing_ok=True)


def is_last_whole(run: Run, facts: CheckpointFacts) -> bool:
    """Whether no other checkpoint of the run is whole; their tensors are read for it."""
    others = (other for other in reversed(list_checkpoints(run)) if other.step != facts.step)
    return all(damage(run, other) for other in others)


def require_not_living(run: Run) -> None:
    """Check that no process carries a run.

    Raises:
        CifartuiError: one does.
    """
    if run.is_carried():
        raise CifartuiError(f"Run {run.id} is living; stop it first, with `cifartui runs stop {run.id}`.")


def remove_run(run: Run) -> None:
    """Remove a run with all its checkpoints and results.

    It is renamed first, which takes it out of every list at once; what a crash leaves of it goes with the next removal.

    Raises:
        CifartuiError: a process carries it.
        OSError: it cannot be removed.
    """
    require_not_living(run)
    with run.lock():
        run.folder.rename(run.folder.with_name(f"{_REMOVED}{secrets.token_hex(4)}"))
    for removed in run.folder.parent.glob(f"{_REMOVED}*"):
        if removed.is_symlink():  # a run that lies elsewhere, which stays there
            removed.unlink()
        else:
            with suppress(FileNotFoundError):  # another process removes it too
                shutil.rmtree(removed)
