"""A run that is stopped and taken up again ends as if nothing had happened, to the bit."""

import hashlib
from pathlib import Path

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import DataError, UsageError
from cifartui.training import loop
from cifartui.training.resuming import create_fork, fork_run, plan_continuation, plan_fork
from cifartui.training.run.checkpoints import CHECK, CheckpointFacts, facts_file, list_checkpoints, tensors_file
from cifartui.training.run.controls import (
    AnyControl,
    ChangeEpochs,
    ChangeRate,
    ControlInbox,
    Pause,
    Resume,
    RollBack,
    SaveCheckpoint,
    Stop,
    TakeSteps,
)
from cifartui.training.run.events import (
    AnyEvent,
    ControlRefused,
    LearningRateChanged,
    RunFinished,
    StateChanged,
    StepsReported,
)
from cifartui.training.run.folder import Run, all_runs, create_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.keeping import pin, to_prune
from cifartui.training.snapshot import read_state, read_weights, write_checkpoint
from cifartui.training.start import Start
from cifartui.training.state import State
from tests.training.running import losses, plan, train_in

FULL = ("augment.flip=true", "augment.crop_padding=4", "validation.images=40", "log_every=7", "epochs=3")


class Script(ControlInbox):
    """Commands that arrive at certain looks of the loop."""

    def __init__(self, path: Path, *commands: AnyControl | None) -> None:
        super().__init__(path)
        self._commands = list(commands)

    def read_new(self) -> tuple[list[AnyControl], str]:
        command = self._commands.pop(0) if self._commands else None
        return ([command] if command else []), ""


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop looks for commands and reports after every step."""
    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr("cifartui.training.steering.LOOK_SECONDS", 0.0)


def hashes(run: Run) -> dict[int, str]:
    """The sha256 of each checkpoint's file, by step."""
    return {
        facts.step: hashlib.sha256(tensors_file(run, facts).read_bytes()).hexdigest() for facts in list_checkpoints(run)
    }


def last(run: Run) -> CheckpointFacts:
    return list_checkpoints(run)[-1]


def flip_last_byte(file: Path) -> None:
    """Damage a file, whose length stays."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def go_on(run: Run, *commands: AnyControl | None) -> list[AnyEvent]:
    """Train on from the last checkpoint."""
    start = Start(last(run).step)
    return list(train_in(run, Script(run.controls_file, *commands), start))


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("looks", [0, 3, 30, 49, 50, 71])
def test_stopped_and_continued_is_as_never_stopped(sketches: DatasetFacts, looks: int) -> None:
    """Weights, momentum, generators, order, tallies and log lines, stopped within epochs and at their ends."""
    config = plan(sketches.name, *FULL)
    whole = create_run(config)
    undisturbed = list(train_in(whole))
    run = create_run(config)
    before = list(train_in(run, Script(run.controls_file, *[None] * looks, Stop())))
    assert isinstance(before[-1], RunFinished)
    assert before[-1].reason == "stopped"
    after = go_on(run)
    assert losses(before) + losses(after) == losses(undisturbed)
    assert last(run).sha256 == last(whole).sha256
    assert hashes(run).items() >= hashes(whole).items()


@pytest.mark.usefixtures("every_step")
def test_every_command_leaves_the_training_as_it_would_be(sketches: DatasetFacts) -> None:
    """Pauses, single steps, checkpoints and a stop change nothing but when it is done."""
    config = plan(sketches.name, *FULL)
    whole = create_run(config)
    undisturbed = list(train_in(whole))
    run = create_run(config)
    before = list(
        train_in(
            run, Script(run.controls_file, None, Pause(), TakeSteps(steps=3), None, None, SaveCheckpoint(), Stop())
        )
    )
    paused = [event.state for event in before if isinstance(event, StateChanged)].count("paused")
    assert paused >= 2
    after = go_on(run, Pause(), SaveCheckpoint(), Resume())
    assert losses(before) + losses(after) == losses(undisturbed)
    assert last(run).sha256 == last(whole).sha256


@pytest.mark.usefixtures("every_step")
def test_a_turned_rate_and_other_epochs_outlive_a_stop(sketches: DatasetFacts) -> None:
    """The rate is part of the state, the epochs are handed on; what is refused says why."""
    config = plan(sketches.name, "log_every=7", "epochs=2")
    turned = [None, ChangeRate(to="down"), ChangeRate(to=0.004), ChangeEpochs(epochs=3)]
    whole = create_run(config)
    undisturbed = list(train_in(whole, Script(whole.controls_file, *turned)))
    run = create_run(config)
    before = list(train_in(run, Script(run.controls_file, *turned, None, None, Resume(), TakeSteps(), Stop())))
    assert [event.command for event in before if isinstance(event, ControlRefused)] == ["step"]
    after = list(train_in(run, Script(run.controls_file), Start(last(run).step, epochs=3)))
    assert losses(before) + losses(after) == losses(undisturbed)
    assert len(losses(undisturbed)) == 3 * 7
    assert last(run).sha256 == last(whole).sha256


def test_where_a_run_goes_on(sketches: DatasetFacts) -> None:
    """The newest whole checkpoint; damaged ones are named, an older one costs the later; at the end, more epochs."""
    run = create_run(plan(sketches.name, "epochs=3"))
    list(train_in(run))
    with pytest.raises(UsageError, match="has trained 3 of its 3 epochs at step 150; ask for more, as with --epochs 6"):
        plan_continuation(run)
    more = plan_continuation(run, epochs=4)
    assert more.checkpoint is not None
    assert (more.checkpoint.step, more.epochs, more.lost) == (150, 4, ())
    older = plan_continuation(run, "50", epochs=4)
    assert [facts.step for facts in older.lost] == [100, 150]
    flip_last_byte(tensors_file(run, more.checkpoint))
    facts_file(run, older.lost[0]).write_bytes(b"{}")
    before = plan_continuation(run)
    assert before.checkpoint is not None
    assert before.checkpoint.step == 50
    assert [sentence.partition(" is damaged")[0] for sentence in before.passed_over] == [
        "The checkpoint of step 150",
        "The checkpoint of step 100",
    ]
    with pytest.raises(DataError, match="is damaged"):
        plan_continuation(run, "150", epochs=4)


@pytest.mark.usefixtures("every_step")
def test_a_run_that_starts_anew_keeps_what_it_saves(sketches: DatasetFacts) -> None:
    """Damaged checkpoints of later steps do not count as newer than those that are saved now."""
    run = create_run(plan(sketches.name, "epochs=2", "checkpoints.keep=1"))
    list(train_in(run))
    flip_last_byte(tensors_file(run, last(run)))
    anew = plan_continuation(run)
    assert anew.checkpoint is None
    list(train_in(run, Script(run.controls_file, *[None] * 5, Stop()), Start(None, anew.epochs)))
    again = plan_continuation(run)
    assert again.checkpoint is not None
    assert (again.checkpoint.step, again.checkpoint.cause, again.passed_over) == (6, "stopped", ())


def test_a_checkpoint_of_a_newer_version(sketches: DatasetFacts) -> None:
    """More facts about it are passed over; more state than this version knows is refused, since it would be lost."""
    run = create_run(plan(sketches.name, "epochs=1"))
    list(train_in(run))
    facts = last(run)
    body = facts_file(run, facts).read_bytes().partition(CHECK)[0] + b',\n  "shadow": "ema"'
    newer = body + CHECK + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'
    facts_file(run, facts).write_bytes(newer)
    assert last(run) == facts
    list(train_in(run, start=Start(facts.step, epochs=2)))

    facts, state, shadow = last(run), read_state(run, last(run)), {"shadow/x": torch.zeros(1)}
    for more in (State(state.tensors, state.facts | {"shadow": {}}), State(state.tensors | shadow, state.facts)):
        facts = write_checkpoint(run, more, facts)
        with pytest.raises(DataError, match=r"does not know \(shadow\); go on with the version that saved it"):
            list(train_in(run, start=Start(facts.step, epochs=3)))
        assert set(read_weights(run, facts)) == {name for name in state.tensors if "/" not in name}


@pytest.mark.usefixtures("every_step")
def test_fork_goes_on_from_its_parent(sketches: DatasetFacts) -> None:
    """Unchanged it ends as its parent; with another rate it begins with that; what would not fit is refused."""
    config = plan(sketches.name, *FULL)
    parent = create_run(config)
    events = list(train_in(parent, Script(parent.controls_file, *[None] * 9, ChangeRate(to="up"), None, Stop())))
    assert isinstance(events[-1], RunFinished)
    same = plan_fork(parent.id)
    assert same.config.parent is not None
    assert same.config.parent.changed == ()
    step = same.checkpoint.step
    pin(parent, same.checkpoint)
    twin, host = fork_run(same)
    assert host.wait(60) == 0
    go_on(parent)
    assert last(twin).sha256 == last(parent).sha256
    other = plan_fork(f"{parent.id}@{step}", ["optimizer.learning_rate=0.5", "epochs=4"])
    run, host = fork_run(other)
    assert host.wait(60) == 0
    started = read_history(run)[0].started
    assert started is not None
    assert (started.step, started.parent, started.learning_rate) == (step, f"{parent.id}@{step}", 0.5)
    with pytest.raises(UsageError, match="batch_size cannot be changed"):
        plan_fork(parent.id, ["batch_size=8"])


@pytest.mark.usefixtures("every_step")
def test_a_fork_has_the_rate_that_is_asked_for(sketches: DatasetFacts) -> None:
    """The recipe's own, after the parent was turned away from it, and that of a fork which has not trained yet."""
    parent = create_run(plan(sketches.name, "epochs=2"))
    list(train_in(parent, Script(parent.controls_file, *[None] * 5, ChangeRate(to=0.02), Stop())))
    assert rate_at_start(create_fork(plan_fork(parent.id))) == 0.02
    assert rate_at_start(create_fork(plan_fork(parent.id, ["optimizer.learning_rate=0.001"]))) == 0.001
    other = create_fork(plan_fork(parent.id, ["optimizer.learning_rate=0.5"]))
    fork_of_it = create_fork(plan_fork(other.id, ["epochs=3"]))
    assert (rate_at_start(other), rate_at_start(fork_of_it)) == (0.5, 0.5)


def rate_at_start(run: Run) -> float:
    """The learning rate with which a run goes on from its last checkpoint."""
    events = list(train_in(run, Script(run.controls_file, None, Stop()), Start(last(run).step)))
    return next(event.learning_rate for event in events if isinstance(event, StepsReported))


def test_a_fork_that_cannot_be_written_leaves_no_run(sketches: DatasetFacts) -> None:
    """As where the parent's checkpoint goes meanwhile, or the disk is full."""
    parent = create_run(plan(sketches.name, "epochs=1"))
    list(train_in(parent))
    fork = plan_fork(parent.id, ["epochs=2"])
    tensors_file(parent, fork.checkpoint).unlink()
    with pytest.raises(FileNotFoundError):
        create_fork(fork)
    assert [run.id for run in all_runs()] == [parent.id]


@pytest.mark.usefixtures("every_step")
def test_a_forks_first_checkpoint_stays_after_going_back_to_it(sketches: DatasetFacts) -> None:
    """It is written again with half the rate, is still kept, and the fork goes on from it with that rate."""
    parent = create_run(plan(sketches.name, *FULL))
    list(train_in(parent, Script(parent.controls_file, None, Stop())))
    fork = plan_fork(parent.id, ["optimizer.learning_rate=0.5"])
    run = create_fork(fork)
    step = fork.checkpoint.step
    events = list(train_in(run, Script(run.controls_file, None, None, RollBack(), Stop()), Start(step)))
    assert [event.after for event in events if isinstance(event, LearningRateChanged)] == [0.25]
    first = list_checkpoints(run)[0]
    assert (first.step, first.cause) == (step, "fork")
    assert to_prune(list_checkpoints(run), 1) == []
    again = list(train_in(run, Script(run.controls_file, None, Stop()), Start(step)))
    assert {event.learning_rate for event in again if isinstance(event, StepsReported)} == {0.25}
