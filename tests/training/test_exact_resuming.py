"""Runs of recipes that make use of everything, killed at random points, end as undisturbed ones do, to the bit."""

import math
import random
from pathlib import Path

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.training import loop
from cifartui.training.loop import train
from cifartui.training.resuming import plan_continuation
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.controls import AnyControl, ChangeRate, SaveCheckpoint
from cifartui.training.run.events import AnyEvent
from cifartui.training.run.folder import create_run
from cifartui.training.setup import prepare, take_up
from cifartui.training.start import Start
from tests.training.running import plan, run_started
from tests.training.undisturbed import (
    EVERYTHING,
    NETWORK,
    AtSteps,
    assert_as_undisturbed,
    looking_at_every_step,
    undisturbed,
    what_holds,
)

KILLS = 5
EPOCHS, EPOCH_STEPS = 3, 10
STEPS = EPOCHS * EPOCH_STEPS
COMMANDS: dict[int, list[AnyControl]] = {
    **{step: [SaveCheckpoint()] for step in range(2, STEPS, 4)},
    7: [ChangeRate(to="up")],
}
RECIPES = {
    "sgd": (),
    "adamw": ("optimizer.nesterov=false", "optimizer.name=adamw", "schedule.name=one_cycle", "mixing.name=mixup"),
    "rmsprop": (
        "optimizer.nesterov=false",
        "optimizer.name=rmsprop",
        "optimizer.centered=true",
        "schedule.name=step",
        "schedule.every_epochs=1",
        "validation.every_epochs=2",
    ),
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_five_times_it_ends_as_undisturbed(
    sketches: DatasetFacts, tmp_path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learning rate is turned on the way, too; some kills come before anything was saved, some within epochs.

    Reports come with commands and epochs only, so that each is of several steps.
    """
    network = tmp_path / "chancy.toml"
    network.write_text(NETWORK)
    config = plan(
        sketches.name,
        *EVERYTHING,
        f"network={network}",
        "batch_size=16",
        "images_at_once=8",
        f"epochs={EPOCHS}",
        "log_every=3",
        "validation.images=40",
        *RECIPES[recipe],
    )
    run, chance, told = create_run(config), random.Random(recipe), list[AnyEvent]()
    with looking_at_every_step():
        monkeypatch.setattr(loop, "REPORT_SECONDS", math.inf)
        for killed_at in [*sorted(chance.sample(range(1, STEPS), KILLS)), STEPS]:
            facts = plan_continuation(run).checkpoint
            job = prepare(config)
            take_up(job, run, Start(facts.step if facts else None))
            begun_at = job.position.step
            told.append(run_started(EPOCH_STEPS, epochs=EPOCHS, step=begun_at))
            commands = {step: these for step, these in COMMANDS.items() if step > begun_at}
            for event in train(run, job, AtSteps(job, commands)):
                told.append(event)
                if job.position.step >= killed_at and killed_at < STEPS and chance.random() < 0.5:
                    break
    reference, sha256 = undisturbed(config, what_holds(told, EPOCH_STEPS))
    assert list_checkpoints(run)[-1].sha256 == sha256
    assert_as_undisturbed(what_holds(told, EPOCH_STEPS), reference, EPOCH_STEPS)
