"""A machine that steers, stops, kills, continues and forks a run at random, for hypothesis."""

import shutil
from collections.abc import Iterator

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cifartui import home
from cifartui.training.loop import train
from cifartui.training.resuming import create_fork, plan_continuation, plan_fork
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.controls import (
    AnyControl,
    ChangeEpochs,
    ChangeRate,
    ControlInbox,
    Pause,
    Resume,
    SaveCheckpoint,
    Stop,
    TakeSteps,
)
from cifartui.training.run.events import (
    AnyEvent,
    ControlDone,
    ControlRefused,
    EpochsChanged,
    RunFinished,
)
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.setup import prepare, take_up
from cifartui.training.start import Start
from tests.training.running import run_started
from tests.training.undisturbed import assert_as_undisturbed, looking_at_every_step, undisturbed, what_holds

MOST_EVENTS = 40
"""Between two commands."""
MOST_EPOCHS = 4


class Orders(ControlInbox):
    """Commands handed over by the machine."""

    def __init__(self) -> None:
        self.waiting: list[AnyControl] = []

    def read_new(self) -> tuple[list[AnyControl], str]:
        controls, self.waiting = self.waiting, []
        return controls, ""


class SteeredRun(RuleBasedStateMachine):
    """Whatever is done to the run: in the end it is what the same work undisturbed would have made."""

    config: RunConfig
    """Set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[AnyEvent] = []
        self.orders = Orders()
        self.training: Iterator[AnyEvent] | None = None
        self.held = False
        self.epochs = self.config.settings.epochs
        self._every_step = looking_at_every_step()
        self._every_step.__enter__()

    @initialize()
    def start(self) -> None:
        """A new run."""
        self.run = create_run(self.config)
        self._take_up(self.run, Start())

    @rule(events=st.integers(1, MOST_EVENTS))
    @precondition(lambda self: self.training and not self.held)
    def go_on(self, events: int) -> None:
        """Some events pass."""
        for _ in range(events):
            if not self._next():
                return

    @rule()
    @precondition(lambda self: self.training)
    def pause(self) -> None:
        self.held = self._order(Pause()) or self.held

    @rule()
    @precondition(lambda self: self.training)
    def resume(self) -> None:
        self.held = self.held and not self._order(Resume())

    @rule(steps=st.integers(1, 7))
    @precondition(lambda self: self.training)
    def take_steps(self, steps: int) -> None:
        """Refused unless it is paused; afterwards it is paused again, unless it has ended."""
        was_held = self.held
        done = self._order(TakeSteps(steps=steps))
        assert was_held or not done

    @rule()
    @precondition(lambda self: self.training)
    def save(self) -> None:
        self._order(SaveCheckpoint())

    @rule(to=st.sampled_from(["up", "down", 0.002, 0.0005]))
    @precondition(lambda self: self.training)
    def turn_the_rate(self, to: str | float) -> None:
        self._order(ChangeRate(to=to))

    @rule(epochs=st.integers(1, MOST_EPOCHS))
    @precondition(lambda self: self.training)
    def change_epochs(self, epochs: int) -> None:
        self._order(ChangeEpochs(epochs=epochs))

    @rule()
    @precondition(lambda self: self.training)
    def stop_and_continue(self) -> None:
        self._order(Stop())
        while self._next():
            pass
        self._continue()

    @rule()
    @precondition(lambda self: self.training)
    def kill_and_continue(self) -> None:
        """What comes after the last event never happens."""
        self.training = None
        self._continue()

    @rule()
    @precondition(lambda self: list_checkpoints(self.run) and self._can_go_on())
    def fork(self) -> None:
        """Another run goes on in the place of this one."""
        plan = plan_fork(self.run.id, [f"epochs={self.epochs}"])
        self.training = None
        self.run = create_fork(plan)
        self._take_up(self.run, Start(plan.checkpoint.step, self.epochs))

    @rule()
    @precondition(lambda self: not self.training)
    def train_for_another_epoch(self) -> None:
        """Only for a run that has ended."""
        self.epochs += 1
        self._continue()

    def teardown(self) -> None:
        """Let it come to its end and compare."""
        try:
            if self.training:
                if self.held:
                    self._order(Resume())
                while self._next():
                    pass
            if hasattr(self, "run"):
                self._compare()
        finally:
            shutil.rmtree(home.runs_folder())
            self._every_step.__exit__(None, None, None)

    def _compare(self) -> None:
        steps_per_epoch = self.steps_per_epoch
        told = what_holds(self.told, steps_per_epoch)
        at_start = [event.after for event in told if isinstance(event, EpochsChanged) and event.step == 0][-1]
        config = msgspec.structs.replace(
            self.config, settings=msgspec.structs.replace(self.config.settings, epochs=at_start)
        )
        reference, sha256 = undisturbed(config, told)
        assert list_checkpoints(self.run)[-1].sha256 == sha256
        assert_as_undisturbed(told, reference, steps_per_epoch)

    def _can_go_on(self) -> bool:
        last = list_checkpoints(self.run)[-1]
        return last.epoch < self.epochs or not last.epoch_is_over

    def _continue(self) -> None:
        """From the newest checkpoint, or from the beginning; a run that has done all its epochs stays as it is."""
        checkpoints = list_checkpoints(self.run)
        if checkpoints and not self._can_go_on():
            self.training = None
            return
        plan = plan_continuation(self.run, epochs=self.epochs)
        self._take_up(self.run, Start(plan.checkpoint.step if plan.checkpoint else None, plan.epochs))

    def _take_up(self, run: Run, start: Start) -> None:
        self.held = False
        self.orders.waiting = []
        job = prepare(run.config())
        take_up(job, run, start)
        self.steps_per_epoch = job.position.steps_per_epoch
        self.told.append(run_started(epochs=job.position.epochs, step=job.position.step))
        self.training = train(run, job, self.orders)

    def _order(self, control: AnyControl) -> bool:
        """Give a command and wait until it is done or refused; return whether it was done."""
        self.orders.waiting.append(control)
        while (event := self._next()) is not None:
            if isinstance(event, ControlRefused):
                return False
            if isinstance(event, ControlDone):
                return True
        return False

    def _next(self) -> AnyEvent | None:
        """The next event; None once the run has ended."""
        event = next(self.training, None) if self.training else None
        if event is None:
            self.training = None
            return None
        self.told.append(event)
        if isinstance(event, EpochsChanged):
            self.epochs = event.after
        return None if isinstance(event, RunFinished) else event
