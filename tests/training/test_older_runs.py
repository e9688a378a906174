"""Runs and recipes from before a recipe had a schedule, an average and the rest: they open, and go on to the bit."""

import tomllib

import tomli_w

from cifartui.dataset.store import DatasetFacts
from cifartui.evaluation.subject import load_subject
from cifartui.toml import decode_toml
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.folder import Run
from cifartui.training.snapshot import read_state, write_checkpoint
from cifartui.training.start import Start
from tests.training.running import plan, train_here, train_in

RECIPE = """
description = "PyTorch's CIFAR-10 tutorial, to the letter."
network = "tutorial"
epochs = 2
batch_size = 4
loss = "cross_entropy"
log_every = 2000

[loader]
kind = "resident"
num_workers = 2
shuffle = true

[normalize]
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]

[augment]
flip = false
crop_padding = 0
cutout = 0

[optimizer]
name = "sgd"
learning_rate = 0.001
momentum = 0.9

[validation]
images = 0

[checkpoints]
keep = 3
"""
"""All keys that there were."""


def make_older(run: Run) -> None:
    """Take out of a run's folder what was not there before recipes had schedules."""
    config = tomllib.loads((run.folder / "config.toml").read_text())
    old = tomllib.loads(RECIPE)
    config["settings"] = {
        key: {name: value[name] for name in old[key]} if isinstance(value, dict) else value
        for key, value in config["settings"].items()
        if key in old
    }
    (run.folder / "config.toml").write_text(tomli_w.dumps(config))
    for facts in list_checkpoints(run):
        state = read_state(run, facts)
        parts = {name: held for name, held in state.facts.items() if name != "scale"}
        parts["rate"] = {"value": parts["rate"]["value"]}
        write_checkpoint(run, state._replace(facts=parts), facts)


def test_older_recipe_is_the_tutorial() -> None:
    """Every new setting leaves it as it was."""
    assert decode_toml(RECIPE.encode(), Recipe, "older") == load_recipe("tutorial")


def test_older_run_goes_on_and_is_evaluated(sketches: DatasetFacts) -> None:
    """It ends as one of today, and both as one that was never stopped."""
    whole, _ = train_here(plan(sketches.name, "epochs=3"))
    run, _ = train_here(plan(sketches.name, "epochs=2"))
    asked = run.config()
    make_older(run)
    assert run.config() == asked
    assert load_subject(run.id).title == f"{run.id}@100"
    list(train_in(run, start=Start(100, epochs=3)))
    assert list_checkpoints(run)[-1].sha256 == list_checkpoints(whole)[-1].sha256
