"""What the panel that explains tells of a run in view: the part with the focus, or what the run does now."""

from cifartui.lessons.topic import Topic, Value
from cifartui.training.run.events import MemoryExhausted, NotFiniteFound
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView

PARTS = {
    "loss": "chart.loss",
    "accuracy": "chart.accuracy",
    "facts": "screen.training.run",
    "device": "screen.training.device",
    "log": "screen.training.log",
    "filters": "screen.training.filters",
    "answers": "screen.training.answers",
}
"""The lessons of the parts of the screen, by the ids of their widgets."""


def run_topic(view: RunView, focused: list[str | None]) -> Topic:
    """The lesson for the first of the widgets with the focus that has one, else for the run's state."""
    part = next((PARTS[name] for name in focused if name in PARTS), "")
    return Topic(part or _of_state(view), run_values(view), recipe=view.recipe)


def _of_state(view: RunView) -> str:
    history = view.history
    if isinstance(history.trouble, NotFiniteFound):
        return "control.rollback"
    if isinstance(history.trouble, MemoryExhausted):
        return "control.accumulate"
    if view.state not in LIVING:
        return "chart.loss"
    if not history.paused:
        return "screen.training.step"
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
