"""The keys by which a living run is steered, and the questions that some of them ask first."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from cifartui.errors import CifartuiError
from cifartui.lessons.topic import Topic
from cifartui.training.run.controls import (
    Accumulate,
    AnyControl,
    ChangeRate,
    Pause,
    Resume,
    RollBack,
    SaveCheckpoint,
    Stop,
    TakeSteps,
)
from cifartui.training.run.events import MemoryExhausted, NotFiniteFound
from cifartui.training.run.follow import tell
from cifartui.training.run.states import LIVING
from cifartui.tui.run_topics import run_topic
from cifartui.tui.screens.base import RunScreen
from cifartui.tui.view import RunView
from cifartui.tui.widgets.control_texts import epochs_of, rate_of, steps_of
from cifartui.tui.widgets.dialogs import Answer, AnswerDialog, TextDialog
from cifartui.tui.widgets.run_panel import RunPanel
from cifartui.tui.widgets.run_texts import epochs_question, rate_question, stop_question

STOP, STOP_UNSAVED = "stop", "stop without saving"


class SteeringScreen(RunScreen):
    """A screen with a `RunPanel`, whose keys steer the run in view while it lives."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "pause",
            "pause",
            tooltip="Hold the run where it is; space again lets it go on",
            id="training.pause",
        ),
        Binding("space", "resume", "go on", tooltip="Let the held run go on", id="training.resume"),
        Binding(
            "full_stop",
            "step",
            "one step",
            tooltip="Let the held run take one step, and hold it again",
            id="training.step",
            key_display=".",
        ),
        Binding(
            "greater_than_sign",
            "steps",
            "steps",
            tooltip="Let the held run take some steps, and hold it again; you are asked how many",
            id="training.steps",
            key_display=">",
        ),
        Binding("k", "checkpoint", "checkpoint", tooltip="Save a checkpoint now", id="training.checkpoint"),
        Binding(
            "x",
            "stop",
            "stop",
            tooltip="End the run, with a checkpoint or without; you are asked first",
            id="training.stop",
        ),
        Binding(
            "plus",
            "turn('up')",
            "rate",
            tooltip="Raise the learning rate by a factor of 2^(1/2); a checkpoint is saved with it",
            id="training.faster",
            key_display="+ −",
        ),
        Binding(
            "minus",
            "turn('down')",
            "rate",
            tooltip="Lower the learning rate by a factor of 2^(1/2); a checkpoint is saved with it",
            id="training.slower",
            show=False,
        ),
        Binding(
            "equals_sign",
            "rate",
            "rate",
            tooltip="Type another learning rate; a checkpoint is saved with it",
            id="training.rate",
            key_display="=",
            show=False,
        ),
        Binding("v", "epochs", "epochs", tooltip="Train for more or fewer epochs", id="training.epochs"),
    ]

    @property
    def topic(self) -> Topic:
        view = self.run_in_view
        if view is None:
            return super().topic
        panel = self.query_one(RunPanel)
        return run_topic(view, panel.part, is_read=panel.is_read)

    @property
    def _living(self) -> RunView | None:
        """The run in view, if it lives."""
        view = self.run_in_view
        return view if view and view.state in LIVING else None

    def _command(self, control: AnyControl) -> None:
        view = self._living
        if view is None:
            self.cifar_app.complain("The run has ended meanwhile.")
            return
        try:
            sent = tell(view.run, view.history, control)
        except CifartuiError as error:
            self.cifar_app.complain(str(error))
        else:
            self.query_one(RunPanel).show_sent(sent)

    def action_pause(self) -> None:
        """Hold the run where it is."""
        self._command(Pause())

    def action_resume(self) -> None:
        """Let a paused run go on."""
        self._command(Resume())

    def action_step(self) -> None:
        """Let a paused run take a step."""
        self._command(TakeSteps())

    def action_checkpoint(self) -> None:
        """Save a checkpoint now."""
        self._command(SaveCheckpoint())

    def action_roll_back(self) -> None:
        """Go back to the last checkpoint, and on with half the learning rate."""
        self._command(RollBack())

    def action_accumulate(self) -> None:
        """Go on in parts that fit."""
        self._command(Accumulate())

    def action_turn(self, way: str) -> None:
        """Turn the learning rate up or down."""
        self._command(ChangeRate(to="up" if way == "up" else "down"))

    # WHAT IS ASKED FIRST

    def action_steps(self) -> None:
        """Ask how many steps a paused run shall take."""
        self._ask("Steps to take, then hold again:", "10", steps_of)

    def action_rate(self) -> None:
        """Ask for another learning rate."""
        view = self._living
        if view:
            self._ask("Learning rate:", f"{view.history.learning_rate:g}", rate_of, rate_question(view.history))

    def action_epochs(self) -> None:
        """Ask for another number of epochs."""
        view = self._living
        if view:
            self._ask("Epochs in all:", str(view.history.epochs_asked), epochs_of, epochs_question(view.history))

    def _ask(self, title: str, value: str, parse: Callable[[str], AnyControl], explanation: str = "") -> None:
        def take(text: str | None) -> None:
            if text is not None:
                self._command(parse(text))

        self.app.push_screen(TextDialog(title, value, parse, explanation=explanation), take)

    def action_stop(self) -> None:
        """End the run as is answered."""
        view = self._living
        if view is None:
            return
        if view.state == "queued":
            answers = [Answer("enter", STOP, "take it out of the queue; it can be started again later")]
            dialog = AnswerDialog(f"Take {view.short_id} out of the queue?", answers, escape="let it wait")
        else:
            question = stop_question(view.history)
            answers = [Answer("enter", STOP, question.saving), Answer("d", STOP_UNSAVED, question.not_saving)]
            title = f"Stop {view.short_id}?"
            dialog = AnswerDialog(title, answers, explanation=question.warning, escape="let it go on")

        def take(answer: str | None) -> None:
            if answer:
                self._command(Stop(save=answer == STOP))

        self.app.push_screen(dialog, take)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        rule = RULES.get(action)
        if rule is None:
            return super().check_action(action, parameters)
        view = self._living
        return view is not None and rule(view)


def _trains(view: RunView) -> bool:
    """Whether there is something to steer: neither waiting for its turn nor loading."""
    return view.state not in ("queued", "starting")


RULES: dict[str, Callable[[RunView], bool]] = {
    "pause": lambda view: _trains(view) and not view.history.paused,
    "resume": lambda view: view.history.paused,
    "step": lambda view: view.history.paused,
    "steps": lambda view: view.history.paused,
    "roll_back": lambda view: isinstance(view.history.trouble, NotFiniteFound) and bool(view.history.checkpoints),
    "accumulate": lambda view: isinstance(view.history.trouble, MemoryExhausted) and view.history.trouble.fits > 0,
    "checkpoint": _trains,
    "turn": _trains,
    "rate": _trains,
    "epochs": _trains,
    "stop": lambda _: True,
}
"""When each of the keys makes sense for a living run."""
