"""Numbers that are not finite, a memory that is full, a device that fails: what becomes of the run."""

from pathlib import Path

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.training import loop
from cifartui.training.launch import start_run
from cifartui.training.run.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.run.controls import (
    Accumulate,
    AnyControl,
    ControlInbox,
    Pause,
    Resume,
    RollBack,
    SaveCheckpoint,
    Stop,
    send,
)
from cifartui.training.run.events import (
    AnyEvent,
    ControlDone,
    LearningRateChanged,
    MemoryExhausted,
    NotFiniteFound,
    RunFinished,
    StateChanged,
    StepsReported,
    WentBack,
)
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.run.follow import read_history
from cifartui.training.setup import prepare
from cifartui.training.snapshot import read_state
from cifartui.training.start import Start
from tests.training.running import losses, plan, train_here, train_in
from tests.training.troubled import TROUBLED_STEP
from tests.training.undisturbed import AtSteps, looking_at_every_step


def troubled(network: str, *overrides: str) -> RunConfig:
    """Three epochs of 50 steps with one of the networks that have troubles."""
    return plan("few", f"network=tests.training.troubled:{network}", "epochs=3", *overrides)


def answered(run: Run, *answers: AnyControl) -> list[AnyEvent]:
    """The events of a run that is trained in this process, with somebody there who answers when it is held."""
    events: list[AnyEvent] = []
    for event in train_in(run, hold=True):
        events.append(event)
        if isinstance(event, StateChanged) and event.state == "paused":
            for answer in answers:
                send(run.controls_file, answer)
    assert [event.command for event in events if isinstance(event, ControlDone)] == [each.command for each in answers]
    return events


def only(kind: type, events: list[AnyEvent]) -> AnyEvent:
    """The only event of a kind."""
    (event,) = [event for event in events if isinstance(event, kind)]
    return event


def numbers_of(run: Run, which: str) -> dict[str, torch.Tensor]:
    """All that a checkpoint holds."""
    return read_state(run, find_checkpoint(run, which)).tensors


def are_finite(tensors: dict[str, torch.Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def test_resume_leaves_out_the_step_and_goes_on(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact step is named, and the end is the same to the bit whether it was found at once or later."""
    run = create_run(troubled("NanOnce"))
    events = answered(run, Resume())
    found = only(NotFiniteFound, events)
    assert found == NotFiniteFound(step=TROUBLED_STEP, epoch=2, batch=TROUBLED_STEP - 50, what="the loss", skipped=1)
    assert events[-1] == RunFinished(reason="finished")
    assert find_checkpoint(run, "last").step == 150
    assert are_finite(numbers_of(run, "last"))

    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    watched = create_run(troubled("NanOnce"))
    events_watched = answered(watched, Resume())
    steps = [event.step for event in events_watched if isinstance(event, StepsReported) and not event.finite]
    assert steps == [TROUBLED_STEP]
    assert find_checkpoint(watched, "last").sha256 == find_checkpoint(run, "last").sha256
    assert losses(events_watched) == losses(events)


def test_rollback_goes_back_to_the_last_checkpoint_at_half_the_rate(sketches: DatasetFacts) -> None:
    """From the end of the first epoch the run goes on to its end."""
    run = create_run(troubled("NanOnce"))
    events = answered(run, RollBack())
    back, turned = only(WentBack, events), only(LearningRateChanged, events)
    assert isinstance(back, WentBack)
    assert isinstance(turned, LearningRateChanged)
    assert (back.step, back.epoch) == (50, 1)
    assert back.left >= TROUBLED_STEP
    assert turned.after == turned.before / 2
    assert events[-1] == RunFinished(reason="finished")
    assert [facts.step for facts in list_checkpoints(run)] == [50, 100, 150]
    assert are_finite(numbers_of(run, "last"))


class RollBackAtLook(ControlInbox):
    """A command that arrives when the loop looks for the n-th time."""

    def __init__(self, path: Path, look: int) -> None:
        super().__init__(path)
        self._looks_left = look

    def read_new(self) -> tuple[list[AnyControl], str]:
        """The command, or nothing."""
        self._looks_left -= 1
        return ([RollBack()] if self._looks_left == 0 else []), ""


def test_steps_that_are_void_are_not_told_of(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going back by command before anybody read that one of the steps left behind was bad: no trouble is left."""
    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(loop, "REPORT_SECONDS", 1e9)
    run = create_run(troubled("NanOnce"))
    events = list(train_in(run, RollBackAtLook(run.controls_file, TROUBLED_STEP + 2)))
    assert only(WentBack, events) == WentBack(step=50, epoch=1, left=TROUBLED_STEP + 2)
    assert not [event for event in events if isinstance(event, NotFiniteFound)]
    assert events[-1] == RunFinished(reason="finished")


def test_stop_saves_what_is_finite(sketches: DatasetFacts) -> None:
    """The answer may be to end it; the steps before and after the bad one are not lost."""
    run = create_run(troubled("NanOnce"))
    events = answered(run, Stop())
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].reason, events[-1].cause) == ("stopped", "")
    assert find_checkpoint(run, "last").step >= TROUBLED_STEP
    assert are_finite(numbers_of(run, "last"))


def test_without_anybody_there_the_run_ends_and_saves_nothing_bad(sketches: DatasetFacts) -> None:
    """Its host's exit code is 1, the cause is typed, `last` and `best` are the checkpoint before."""
    run, host = start_run(troubled("NanOnce", "validation.images=40"))
    assert host.wait(60) == 1
    history, state = read_history(run)
    assert state == "failed"
    assert history.finished is not None
    assert history.finished.cause == "not finite"
    assert (
        f"the loss was not a finite number at step {TROUBLED_STEP}, which was not applied" in history.finished.message
    )
    for which in ("last", "best"):
        assert find_checkpoint(run, which).step == 40
        assert are_finite(numbers_of(run, which))


def test_out_of_memory_goes_on_in_parts_with_the_same_batch(sketches: DatasetFacts) -> None:
    """The losses stay those of the whole batch up to rounding, and a run taken up again goes on in parts."""
    _, undisturbed = train_here(troubled("Troubled"))
    run = create_run(troubled("Narrow"))
    events = answered(run, Accumulate(), SaveCheckpoint())
    assert only(MemoryExhausted, events) == MemoryExhausted(step=TROUBLED_STEP - 1, batch_size=4, fits=2)
    assert events[-1] == RunFinished(reason="finished")
    assert losses(events) == pytest.approx(losses(undisturbed), rel=1e-5)
    assert losses(events) != losses(undisturbed), "rounding tells that it was in parts"
    assert [facts.step for facts in list_checkpoints(run)] == [50, TROUBLED_STEP - 1, 100, 150]

    end = find_checkpoint(run, "last").sha256
    list(train_in(run, start=Start(TROUBLED_STEP - 1)))
    assert find_checkpoint(run, "last").step == 150
    assert find_checkpoint(run, "last").sha256 == end


def test_out_of_memory_without_anybody_there_ends_the_run(sketches: DatasetFacts) -> None:
    """It says what would fit, and keeps the checkpoint before."""
    run, events = train_here(troubled("Narrow"))
    assert events[-1] == RunFinished(
        reason="failed",
        message="the device has not enough memory for 4 images a step; 2 images at once fit: lower batch_size.",
        cause="out of memory",
    )
    assert [facts.step for facts in list_checkpoints(run)] == [50]


def test_failed_device_ends_the_host_without_a_checkpoint(sketches: DatasetFacts) -> None:
    """Typed, with what torch said of it and no advice for developers; the checkpoint before stays the last."""
    run, host = start_run(troubled("Failing"))
    assert host.wait(60) == 1
    history, _ = read_history(run)
    assert history.finished is not None
    assert (history.finished.reason, history.finished.cause) == ("failed", "device")
    assert history.finished.message == (
        "the device cpu failed (CUDA error: unspecified launch failure); check it (cifartui doctor), then go on from "
        f"the last checkpoint; the traceback is in {run.host_log}."
    )
    assert "advice for developers" in run.host_log.read_text()
    assert [facts.step for facts in list_checkpoints(run)] == [50]


def test_trouble_found_while_pausing_ends_a_run_that_nobody_answers(
    sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause is no answer: without `hold` the run ends at the report that the pause brings."""
    run = create_run(troubled("NanOnce"))
    job = prepare(run.config())
    inbox = AtSteps(job, {TROUBLED_STEP + 2: [Pause()]})
    with looking_at_every_step():
        monkeypatch.setattr(loop, "REPORT_SECONDS", 1e9)
        events = list(loop.train(run, job, inbox))
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].reason, events[-1].cause) == ("failed", "not finite")
    assert "paused" not in [event.state for event in events if isinstance(event, StateChanged)]
