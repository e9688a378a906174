"""One line about each run."""

import msgspec

from cifartui.errors import DataError
from cifartui.training.follow import read_history
from cifartui.training.run import Run, RunState, all_runs


class RunOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A run in short."""

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
    created: float
    """Unix time in seconds."""


def overview(run: Run) -> RunOverview:
    """Read a run's folder.

    Raises:
        DataError: it is damaged.
    """
    config = run.config()
    history, state = read_history(run)
    return RunOverview(
        id=run.id,
        recipe=config.recipe,
        model=config.network.name,
        dataset=config.dataset,
        state=state,
        epoch=history.latest.epoch if history.latest else 0,
        epochs=config.settings.epochs,
        step=history.latest.step if history.latest else 0,
        best_accuracy=history.best.accuracy if history.best else None,
        created=config.created,
    )


def list_runs() -> tuple[list[RunOverview], list[str]]:
    """All runs, newest first, and a sentence about each folder that is damaged."""
    overviews, problems = [], []
    for run in all_runs():
        try:
            overviews.append(overview(run))
        except DataError as error:
            problems.append(str(error))
    return overviews, problems
