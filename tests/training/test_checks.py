"""Settings that do not go together are refused before a run is there, in a sentence with key, value and remedy."""

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import UsageError
from cifartui.training.resuming import create_fork, plan_fork
from cifartui.training.run.controls import Stop
from cifartui.training.run.events import RunFinished
from cifartui.training.run.folder import all_runs, create_run
from cifartui.training.start import Start
from tests.training.running import plan, train_in
from tests.training.test_resuming import Script

REFUSED = {
    ("optimizer.nesterov=true", "optimizer.momentum=0"): "optimizer.nesterov = true is not allowed: it needs momentum",
    (
        "schedule.name=cosine",
        "schedule.warmup_epochs=2",
    ): "schedule.warmup_epochs = 2 is not allowed: the run has 2 epoc",
    ("schedule.name=step", "schedule.every_epochs=7"): "schedule.every_epochs = 7 is not allowed: the run has 2 epochs",
    ("schedule.name=step", "epochs=1"): "schedule.every_epochs = 10 is not allowed: the run has 1 epoch, and",
    (
        "schedule.name=exponential",
    ): "schedule.name = 'exponential' is not allowed: choose one of constant, step, linear",
    ("schedule.gamma=0.1",): "schedule.gamma is not a setting; allowed here: name, warmup_epochs",
    ("schedule.name=one_cycle", "schedule.pct_start=1"): "schedule.pct_start = 1 is not allowed: expected a number < 1",
    ("stopping.name=patience",): "stopping.name = patience is not allowed: it waits for a better accuracy on held-out",
    ("average.name=ema", "average.decay=1"): "average.decay = 1 is not allowed: expected a number < 1",
    ("images_at_once=8",): "images_at_once = 8 is not allowed: batch_size is 4; choose that at most, or 0",
    ("batch_size=201",): "batch_size = 201 is not allowed: there are 200 images to train on; choose that at most",
    ("clipping.name=norm", "clipping.max_norm=0"): "clipping.max_norm = 0 is not allowed: expected a number > 0",
    ("label_smoothing=1",): "label_smoothing = 1 is not allowed: expected a number < 1",
    ("initialization=orthogonal",): "initialization = 'orthogonal' is not allowed: choose one of he, torch, whitened",
    ("schedule.warmup_epochs=-1",): "schedule.warmup_epochs = -1 is not allowed: expected a number >= 0",
    ("optimizer.name=adam", "optimizer.alpha=0.9"): "optimizer.alpha is not a setting; allowed here: name, learning_r",
    ("optimizer.weight_decay=-0.1",): "optimizer.weight_decay = -0.1 is not allowed: expected a number >= 0",
    (
        "precision=fp16",
    ): "precision = fp16 is not allowed on a CPU: it needs a GPU that torch calls cuda; choose one of",
}


@pytest.mark.parametrize("assignments", REFUSED, ids=" ".join)
def test_what_does_not_go_together_is_refused(sketches: DatasetFacts, assignments: tuple[str, ...]) -> None:
    """Of a new run."""
    with pytest.raises(UsageError) as caught:
        plan(sketches.name, *assignments)
    assert REFUSED[assignments] in str(caught.value)
    assert all_runs() == []


def test_a_fork_is_checked_as_a_new_run_is(sketches: DatasetFacts) -> None:
    """With what it has from its parent and what it sets itself."""
    run = create_run(plan(sketches.name, "optimizer.nesterov=true"))
    list(train_in(run, Script(run.controls_file, None, Stop())))
    with pytest.raises(UsageError, match=r"optimizer\.nesterov = true is not allowed"):
        plan_fork(run.id, ["optimizer.momentum=0"])


def test_a_fork_has_its_parents_optimizer(sketches: DatasetFacts) -> None:
    """What another kind would remember is not in the checkpoint; momentum can begin later."""
    run = create_run(plan(sketches.name, "optimizer.momentum=0", "optimizer.name=rmsprop"))
    list(train_in(run, Script(run.controls_file, None, Stop())))
    with pytest.raises(UsageError, match=r"optimizer\.name cannot be changed"):
        plan_fork(run.id, ["optimizer.name=adam"])
    fork = plan_fork(run.id, ["optimizer.momentum=0.9"])
    *_, end = train_in(create_fork(fork), start=Start(fork.checkpoint.step))
    assert isinstance(end, RunFinished)
    assert end.reason == "finished"
