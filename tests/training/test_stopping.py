"""Early stopping: when a run ends before its epochs are done, and what it says."""

from cifartui.dataset.store import DatasetFacts
from cifartui.training.recipes.stopping import NeverEarly, Patience
from cifartui.training.resuming import create_fork, plan_fork
from cifartui.training.run.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.run.events import RunFinished, Validated
from cifartui.training.start import Start
from cifartui.training.stopping import EarlyStopping
from tests.training.running import plan, train_here, train_in


def judged(stopping: EarlyStopping, *correct: int, every: int = 1) -> list[bool]:
    """Whether the run ends after each of these results."""
    ends = []
    for place, images in enumerate(correct, start=1):
        stopping.judge(place * every, images)
        ends.append(bool(stopping.reason))
    return ends


def test_it_waits_for_a_better_epoch() -> None:
    """An equal one is not better; a better one starts the waiting anew; epochs that are not judged count."""
    assert judged(EarlyStopping(Patience(epochs=2)), 5, 5, 6, 6, 5) == [False, False, False, False, True]
    assert judged(EarlyStopping(Patience(epochs=1)), 0, 0) == [False, True]
    assert judged(EarlyStopping(Patience(epochs=4)), 5, 4, 3, every=3) == [False, False, True]
    assert judged(EarlyStopping(NeverEarly()), *[5] * 50) == [False] * 50


def test_what_was_judged_is_kept() -> None:
    """Waiting goes on where it was; a run that never ends early keeps nothing."""
    stopping, again = EarlyStopping(Patience(epochs=3)), EarlyStopping(Patience(epochs=3))
    judged(stopping, 7, 6, 6)
    again.restore({}, stopping.facts())
    again.judge(4, 7)
    assert again.reason == (
        "after epoch 4, early: the accuracy on held-out images has not risen for 3 epochs, since epoch 1"
    )
    never = EarlyStopping(NeverEarly())
    never.judge(1, 7)
    assert never.facts() == {}


def test_a_run_ends_early_as_finished(sketches: DatasetFacts) -> None:
    """At a rate that changes nothing no epoch is better than the first: two more, the reason, and the best is kept."""
    config = plan(
        sketches.name,
        "stopping.name=patience",
        "stopping.epochs=2",
        "validation.images=100",
        "batch_size=50",
        "epochs=9",
        "optimizer.learning_rate=1e-9",
    )
    run, events = train_here(config)
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert (end.reason, end.message) == (
        "finished",
        "after epoch 3, early: the accuracy on held-out images has not risen for 2 epochs, since epoch 1",
    )
    assert [event.epoch for event in events if isinstance(event, Validated)] == [1, 2, 3]
    assert [facts.epoch for facts in list_checkpoints(run)] == [1, 2, 3]
    assert find_checkpoint(run, "best").epoch == 1
    again = list(train_in(run, start=Start(list_checkpoints(run)[-1].step)))
    assert not [event for event in again if isinstance(event, Validated)]
    assert isinstance(again[-1], RunFinished)
    assert again[-1].message == end.message
    fork = plan_fork(run.id, ["stopping.name=never", "epochs=4"])  # ends as any other
    assert [e.epoch for e in train_in(create_fork(fork), start=Start(6)) if isinstance(e, Validated)] == [4]


def test_a_fork_can_begin_to_wait(sketches: DatasetFacts) -> None:
    """Its parent's checkpoint knows of no best epoch."""
    run, _ = train_here(plan(sketches.name, "validation.images=100", "batch_size=50", "epochs=1"))
    settings = ["stopping.name=patience", "stopping.epochs=1", "epochs=5", "optimizer.learning_rate=1e-9"]
    fork = plan_fork(run.id, settings)
    *_, end = train_in(create_fork(fork), start=Start(2))
    assert isinstance(end, RunFinished)
    assert end.message.startswith("after epoch 3, early: ")
