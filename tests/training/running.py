"""Runs for the tests: planned on a small data set, trained in this process or in a real host."""

import time
from collections.abc import Callable, Iterable, Iterator

import torch

from cifartui.training.launch import plan_run
from cifartui.training.loop import train
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import AnyEvent, LossLogged, RunStarted
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import RunState
from cifartui.training.setup import prepare, take_up
from cifartui.training.start import Start

START = Start()


def plan(dataset: str, *overrides: str, seed: int = 1) -> RunConfig:
    """The tutorial's recipe on the CPU with a log line every ten mini-batches."""
    return plan_run(recipe="tutorial", dataset=dataset, overrides=["log_every=10", *overrides], device="cpu", seed=seed)


def run_started(
    steps_per_epoch: int = 50, *, epochs: int = 2, step: int = 0, parent: str = "", seq: int = -1
) -> RunStarted:
    """The start of a run in batches of four."""
    return RunStarted(
        run="r",
        recipe="tutorial",
        dataset="few",
        network="tutorial",
        device="cpu",
        device_reason="asked for",
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        batch_size=4,
        train_images=4 * steps_per_epoch,
        validation_images=0,
        parameters=62_006,
        learning_rate=0.001,
        seed=1,
        host_pid=1,
        step=step,
        parent=parent,
        seq=seq,
    )


def train_here(config: RunConfig) -> tuple[Run, list[AnyEvent]]:
    """Create a run and train it in this process."""
    run = create_run(config)
    return run, list(train_in(run))


def train_in(
    run: Run, inbox: ControlInbox | None = None, start: Start = START, *, hold: bool = False
) -> Iterator[AnyEvent]:
    """The events of a run while it is trained in this process, from its beginning or from a checkpoint."""
    threads, onednn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    try:
        job = prepare(run.config())
        take_up(job, run, start)
        yield from train(run, job, inbox or ControlInbox(run.controls_file), hold=hold)
    finally:
        torch.set_num_threads(threads)
        torch.backends.mkldnn.enabled = onednn


def losses(events: Iterable[AnyEvent]) -> list[float | None]:
    """The losses of all log lines, in full precision."""
    return [event.loss for event in events if isinstance(event, LossLogged)]


def wait_for(run: Run, condition: Callable[[RunHistory, RunState], bool], seconds: float = 60) -> RunHistory:
    """Read the run's folder until a condition holds."""
    deadline = time.monotonic() + seconds
    while True:
        history, state = read_history(run)
        if condition(history, state):
            return history
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{run.id} is {state} after {seconds} s: {run.host_log.read_text()}{history.latest}{history.log[-20:]}"
            )
        time.sleep(0.02)
