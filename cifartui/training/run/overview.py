"""One line about each run."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from cifartui.errors import DataError, explain
from cifartui.training.run.folder import Run, RunConfig, all_runs
from cifartui.training.run.follow import read_history
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import RunState, stalled_seconds, state_of


class RunOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A run in short; of a damaged one what can still be read, the rest empty."""

    id: str
    recipe: str
    model: str
    dataset: str
    state: RunState
    epoch: int
    epochs: int
    step: int
    best_accuracy: float | None
    """On held-out training images, 0-1; None where none were held out."""
    last_accuracy: float | None
    """On the training images in the last whole epoch, 0-1; None before the first."""
    created: float
    """Unix time in seconds."""
    stalled_seconds: float | None
    """For how long a living run has told nothing, where that is longer than it should be; else None."""
    problem: str
    """What is damaged in its folder, in a sentence; else empty."""
    parent: str
    """`RUN@STEP`, the checkpoint of another run that it goes on from; else empty."""
    title: str
    """What a person calls it; else empty."""
    seconds: float
    """Spent training, pauses and validation left out."""
    bytes: int
    """On the disk, with its checkpoints."""


def overview(run: Run) -> RunOverview:
    """Read a run's folder.

    Raises:
        OSError: it is gone.
    """
    return overview_and_history(run)[0]


def overview_and_history(run: Run) -> tuple[RunOverview, RunHistory]:
    """Read a run's folder, and give what its journal says too.

    Raises:
        OSError: it is gone.
    """
    config: RunConfig | None = None
    history, problem = RunHistory(), ""
    try:
        history, state = read_history(run)
    except DataError as error:
        state, problem = state_of(run, history), str(error)
    try:
        config = run.config()
    except DataError as error:
        problem = str(error)
    if history.damaged and not problem:
        problem = f"Run {run.id}: {history.damaged.sentence}."
    started = history.started
    seen = RunOverview(
        id=run.id,
        recipe=config.recipe if config else started.recipe if started else "",
        model=config.network.name if config else started.network if started else "",
        dataset=config.dataset if config else started.dataset if started else "",
        state=state,
        epoch=history.epoch,
        epochs=history.epochs_asked or (config.settings.epochs if config else 0),
        step=history.step,
        best_accuracy=history.best.accuracy if history.best else None,
        last_accuracy=history.epochs[-1].accuracy if history.epochs else None,
        created=config.created if config else run.folder.stat().st_mtime,
        stalled_seconds=stalled_seconds(history, state),
        problem=problem,
        parent=config.parent.name if config and config.parent else history.parent,
        title=run.title(),
        seconds=history.trained_seconds,
        bytes=size_on_disk(run.folder),
    )
    return seen, history


def size_on_disk(folder: Path) -> int:
    """The bytes of all files in a folder and in those within; what goes meanwhile counts for nothing."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                total += size_on_disk(Path(entry)) if is_folder else entry.stat(follow_symlinks=False).st_size
    return total


def list_runs() -> tuple[list[RunOverview], list[str]]:
    """All runs, newest first, and a sentence about each folder that is damaged."""
    overviews, problems = [], []
    for run in all_runs():
        try:
            overviews.append(overview(run))
        except OSError as error:  # removed meanwhile, or another's
            problems.append(str(explain(error)))
    problems += [item.problem for item in overviews if item.problem]
    return overviews, problems
