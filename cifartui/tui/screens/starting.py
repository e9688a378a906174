"""The keys by which a run that ended goes on or is forked, and the question in whose turn anything starts."""

from collections.abc import Callable, Sequence
from subprocess import Popen
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cifartui.errors import CifartuiError, UsageError
from cifartui.failures import failure
from cifartui.home import runs_folder
from cifartui.training.resuming import Continuation, continue_run, plan_continuation
from cifartui.training.run.checkpoints import CheckpointFacts, best_checkpoint, list_checkpoints
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import read_history
from cifartui.training.run.queue import queue_of_home
from cifartui.training.run.states import LIVING
from cifartui.tui.screens.base import RunScreen
from cifartui.tui.view import RunView, short_id
from cifartui.tui.widgets.control_texts import epochs_of
from cifartui.tui.widgets.dialogs import Answer, AnswerDialog, ChoiceDialog, TextDialog

Host = Popen[bytes]
Launch = Callable[[bool], tuple[Run, Host]]
"""Starts a run's host: at once if told so, else when its turn comes."""
AT_ONCE, IN_TURN, GO_ON = "at once", "in turn", "go on"


class StartingScreen(RunScreen):
    """A screen from which hosts are started, of new runs and of those that ended."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "g",
            "go_on",
            "go on",
            tooltip="Let the run that ended go on from its last checkpoint; one that finished, for more epochs",
            id="training.continue",
        ),
        Binding(
            "A",
            "fork",
            "fork",
            tooltip="Set up a run of its own that goes on from a checkpoint of this one, with other settings",
            id="training.fork",
        ),
    ]

    # IN WHOSE TURN

    @property
    def _is_starting(self) -> bool:
        return any(worker.group == "start" and worker.is_running for worker in self.workers)

    def launch(self, start: Launch) -> None:
        """Start a host once it is known whether it waits for its turn; what is being started is not started twice."""
        if not self._is_starting:
            self._look_who_trains(start)

    @work(thread=True, group="start", exit_on_error=False, description="look who trains")
    def _look_who_trains(self, start: Launch) -> None:
        ahead = tuple(run for run in queue_of_home() if _goes_on(run))
        if ahead:
            self.app.call_from_thread(self._ask_for_turn, ahead, start)
        else:
            self._start_now(start, at_once=False)

    def _ask_for_turn(self, ahead: tuple[str, ...], start: Launch) -> None:
        waiting = f" and {len(ahead) - 1:,} more wait{'s' * (len(ahead) == 2)}" if len(ahead) > 1 else ""
        answers = [
            Answer("enter", IN_TURN, "wait its turn: it starts by itself, also when you have left"),
            Answer("g", AT_ONCE, "start at once: the two slow each other"),
        ]

        def take(answer: str | None) -> None:
            if answer and not self._is_starting:
                self._start(start, at_once=answer == AT_ONCE)

        self.app.push_screen(AnswerDialog(f"{short_id(ahead[0])} trains now{waiting}.", answers), take)

    @work(thread=True, group="start", exit_on_error=False, description="start a run")
    def _start(self, start: Launch, *, at_once: bool) -> None:
        self._start_now(start, at_once=at_once)

    def _start_now(self, start: Launch, *, at_once: bool) -> None:
        """In a worker, since what is asked for may take a while to check."""
        try:
            run, host = start(at_once)
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(self.not_started, str(failure(error)))
        else:
            self.app.call_from_thread(self.cifar_app.follow_run, run, host)

    def not_started(self, sentence: str) -> None:
        """Say why nothing was started."""
        self.cifar_app.complain(sentence)

    # AN ENDED RUN GOES ON

    @property
    def _ended(self) -> RunView | None:
        """The run in view, if it has ended and can be read."""
        view = self.run_in_view
        return view if view and view.state not in LIVING and not view.problem else None

    def action_go_on(self) -> None:
        """Let the run in view go on from its last checkpoint."""
        view = self._ended
        if view and view.state == "finished":
            self._ask_for_epochs(view, "")
        elif view:
            self._plan(view.run, "", None)

    def action_go_back(self) -> None:
        """Let the run in view go on from one of its checkpoints."""
        view = self._ended

        def take(chosen: CheckpointFacts) -> None:
            assert view
            if chosen.epoch_is_over and chosen.epoch >= view.history.epochs_asked:
                self._ask_for_epochs(view, str(chosen.step))
            else:
                self._plan(view.run, str(chosen.step), None)

        if view:
            self._read_checkpoints(view.run, "Go on from", take)

    def _ask_for_epochs(self, view: RunView, which: str) -> None:
        asked = view.history.epochs_asked

        def check(text: str) -> None:
            if epochs_of(text).epochs <= asked:
                raise UsageError(f"It has trained {asked:,} epochs already: ask for more.")

        def take(text: str | None) -> None:
            if text is not None:
                self._plan(view.run, which, epochs_of(text).epochs)

        explanation = f"{view.short_id} has trained all of its {asked:,} epochs; with more it goes on where it ended."
        self.app.push_screen(TextDialog("Epochs in all:", str(asked + 1), check, explanation=explanation), take)

    @work(thread=True, group="plan", exclusive=True, exit_on_error=False, description="look at the checkpoints")
    def _plan(self, run: Run, which: str, epochs: int | None) -> None:
        try:
            plan = plan_continuation(run, which, epochs)
        except (CifartuiError, OSError) as error:
            self.app.call_from_thread(self.not_started, str(failure(error)))
        else:
            self.app.call_from_thread(self._go_on, plan)

    def _go_on(self, plan: Continuation) -> None:
        def start(at_once: bool) -> tuple[Run, Host]:
            return plan.run, continue_run(plan, now=at_once, hold=True)

        def take(answer: str | None) -> None:
            if answer:
                self.launch(start)

        if plan.passed_over:
            self.cifar_app.tell(" ".join(plan.passed_over))
        if not (plan.lost and plan.checkpoint):
            self.launch(start)
            return
        steps = ", ".join(f"{facts.step:,}" for facts in plan.lost)
        meaning = f"go on; its checkpoint{'s' * (len(plan.lost) > 1)} of step {steps} will be removed"
        dialog = AnswerDialog(
            f"Go on with {short_id(plan.run.id)} from step {plan.checkpoint.step:,}?",
            [Answer("enter", GO_ON, meaning)],
            explanation="What came after that step is trained anew. To keep it, fork instead: A.",
        )
        self.app.push_screen(dialog, take)

    # A FORK

    def action_fork(self) -> None:
        """Choose a checkpoint of the run in view, and set up a run that goes on from it."""
        view = self.run_in_view
        if view:
            self._read_checkpoints(view.run, "Fork", self.set_up_fork)

    def set_up_fork(self, checkpoint: CheckpointFacts) -> None:
        """Show the settings of a run that would go on from a checkpoint."""
        raise NotImplementedError

    # WHICH CHECKPOINT

    @work(thread=True, group="read checkpoints", exclusive=True, exit_on_error=False, description="read checkpoints")
    def _read_checkpoints(self, run: Run, purpose: str, take: Callable[[CheckpointFacts], None]) -> None:
        self.app.call_from_thread(self._choose, run, list_checkpoints(run), purpose, take)

    def _choose(
        self, run: Run, checkpoints: Sequence[CheckpointFacts], purpose: str, take: Callable[[CheckpointFacts], None]
    ) -> None:
        """Ask for one of a run's checkpoints, the newest first; where there is one, it is taken unasked."""
        if not checkpoints:
            self.cifar_app.complain(f"Run {short_id(run.id)} has no checkpoint; k saves one while it trains.")
            return
        if len(checkpoints) == 1:
            take(checkpoints[0])
            return
        best = best_checkpoint(list(checkpoints))
        by_step = {str(facts.step): facts for facts in reversed(checkpoints)}
        choices = [(step, _line(facts, is_best=facts == best)) for step, facts in by_step.items()]

        def taken(step: str | None) -> None:
            if step:
                take(by_step[step])

        self.app.push_screen(ChoiceDialog(f"{purpose} {short_id(run.id)}", choices), taken)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action in ("go_on", "go_back"):
            return self._ended is not None and (action == "go_on" or bool(self._ended.history.checkpoints))
        if action == "fork":
            return self.run_in_view is not None and bool(self.run_in_view.history.checkpoints)
        return super().check_action(action, parameters)


def _goes_on(run: str) -> bool:
    """Whether a run in the queue has not ended; its host has its place for a moment longer."""
    try:
        return read_history(Run(runs_folder() / run))[1] in LIVING
    except (CifartuiError, OSError):
        return False


def _line(facts: CheckpointFacts, *, is_best: bool) -> str:
    """A checkpoint in the list to choose from."""
    accuracy = "" if facts.validation_accuracy is None else f"{facts.validation_accuracy:.1%} held-out"
    return f"step {facts.step:<12,} epoch {facts.epoch:<6,} {facts.cause:<10} {accuracy}{' ★ best' * is_best}".rstrip()
