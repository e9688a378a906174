"""What the panel that explains tells of a run in view: what holds it, or the part that was chosen."""

from cifartui.lessons.topic import Topic, Value
from cifartui.training.run.events import MemoryExhausted, NotFiniteFound
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView

PARTS = {
    "loss": "chart.loss",
    "accuracy": "chart.accuracy",
    "learning": "screen.training.filters",
    "run": "screen.training.run",
    "device": "screen.training.device",
    "log": "screen.training.log",
}
"""The lessons of the screen's parts."""


def run_topic(view: RunView, part: str, *, is_read: bool) -> Topic:
    """What holds a run, else the part that was chosen; `is_read`: whether values of its chart are read.

    While a run lives, its first part stands for the step that it takes over and over.
    """
    held = _held(view) if view.state in LIVING else ""
    steps = part == "loss" and view.state in LIVING and not is_read
    return Topic(held or ("screen.training.step" if steps else PARTS[part]), run_values(view), recipe=view.recipe)


def _held(view: RunView) -> str:
    """The lesson on what a run is held for; empty while it trains."""
    history = view.history
    if isinstance(history.trouble, NotFiniteFound):
        return "control.rollback"
    if isinstance(history.trouble, MemoryExhausted):
        return "control.accumulate"
    if not history.paused:
        return ""
    was_step = bool(history.controls) and history.controls[-1].command == "step"
    return "control.step" if was_step else "control.pause"


def run_values(view: RunView) -> dict[str, Value]:
    """The numbers of a run, which may differ from those of the settings in hand."""
    started, values = view.history.started, dict[str, Value]()
    if view.guessing is not None:
        values["guessing_loss"] = f"{view.guessing:.3f}"
    if started is None:
        return values
    return {
        **values,
        "dataset": started.dataset,
        "epochs": view.history.epochs_asked,
        "steps_per_epoch": started.steps_per_epoch,
        "steps": view.history.steps,
        "trained_images": started.train_images,
        "held_out_images": started.validation_images,
        "images": started.train_images + started.validation_images,
        "parameters": started.parameters,
        "optimizer.learning_rate": view.history.learning_rate,
    }
