"""Numbers of a run as they are now, between two reports too."""

from cifartui.training.run.history import RunHistory


def rate_now(history: RunHistory) -> float:
    """The learning rate of the next step; 0 before the run started."""
    changes, latest = history.rate_changes, history.latest
    if changes and (latest is None or changes[-1].seq >= latest.seq):
        return changes[-1].after
    if latest:
        return latest.learning_rate
    return history.started.learning_rate if history.started else 0.0


def first_rate(history: RunHistory) -> float:
    """The learning rate before any command changed it; 0 before the run started."""
    if history.rate_changes:
        return history.rate_changes[0].before
    return history.started.learning_rate if history.started else 0.0


def rate_at(history: RunHistory, step: int) -> float:
    """The learning rate after a step; 0 before the run started."""
    before = [change for change in history.rate_changes if change.step <= step]
    return before[-1].after if before else first_rate(history)
