"""What follows the data set: settings of a recipe, and a network's layers, down to a run that trains."""

import msgspec
import pytest

from cifartui.dataset.catalogue import rename_dataset
from cifartui.dataset.official import CLASSES
from cifartui.dataset.store import DatasetFacts, find_dataset, load_facts, save_dataset
from cifartui.errors import DataError, UsageError
from cifartui.evaluation.evaluate import evaluate
from cifartui.evaluation.subject import dataset_of, load_subject
from cifartui.progress import finish
from cifartui.training.fitting import fit_recipe
from cifartui.training.launch import plan_run
from cifartui.training.recipes.files import load_recipe, recipe_names
from cifartui.training.recipes.settings import override
from cifartui.training.run.events import EpochFinished, LossLogged, Validated
from cifartui.training.run.folder import create_run
from tests.conftest import noise
from tests.training.running import train_here


@pytest.fixture
def sketch_facts(sketches: DatasetFacts) -> DatasetFacts:
    """Facts of a data set as large as the sketches that everybody has first."""
    return msgspec.structs.replace(sketches, train=5_000, test=1_000)


def test_every_shipped_recipe_logs_and_starts_on_the_sketches(sketch_facts: DatasetFacts) -> None:
    """No recipe holds out all images, and each brings log lines in every epoch."""
    for name in recipe_names():
        recipe = fit_recipe(load_recipe(name), sketch_facts).recipe
        assert recipe.validation.images < sketch_facts.train / 2
        assert recipe.log_every <= (sketch_facts.train - recipe.validation.images) / recipe.batch_size


def test_what_follows_is_said_with_both_numbers(sketch_facts: DatasetFacts) -> None:
    """The clauses say what the recipe says and why it is not taken."""
    assert fit_recipe(load_recipe("held-out"), sketch_facts).clauses == (
        "validation.images = 500: a tenth of 5,000 training images; the recipe says 5,000",
        "log_every = 200: an epoch has 1,125 mini-batches; the recipe says 2,000",
    )


def test_cifar10_changes_nothing(sketches: DatasetFacts) -> None:
    """With 50,000 training images every recipe stays to the letter."""
    facts = msgspec.structs.replace(sketches, train=50_000)
    for name in recipe_names():
        assert fit_recipe(load_recipe(name), facts) == (load_recipe(name), {})


def test_what_the_user_set_does_not_follow(sketch_facts: DatasetFacts) -> None:
    """A setting of his is taken as it is, or refused."""
    recipe = override(load_recipe("held-out"), ["log_every=3000", "validation.images=4000"])
    assert fit_recipe(recipe, sketch_facts, {"log_every", "validation.images"}) == (recipe, {})
    with pytest.raises(UsageError, match=r"validation\.images = 200 leaves nothing to train on"):
        plan_run(recipe="tutorial", dataset="few", overrides=["validation.images=200"])


def test_held_out_images_that_the_data_set_brings_are_used() -> None:
    """They judge each epoch, all training images are trained on, and another number is refused."""
    facts = save_dataset("own", noise(40), noise(20), CLASSES, "made", validation=noise(10))
    config = plan_run(recipe="tutorial", dataset="own", overrides=["epochs=1"], device="cpu")
    assert config.settings.validation.images == 10
    _, events = train_here(config)
    assert [event.images for event in events if isinstance(event, Validated)] == [10]
    assert [event.step for event in events if isinstance(event, EpochFinished)] == [10]
    assert fit_recipe(load_recipe("tutorial"), facts, {"validation.images"}).recipe.validation.images == 0
    with pytest.raises(UsageError, match="brings 10 images to hold out; choose that number, or 0"):
        plan_run(recipe="tutorial", dataset="own", overrides=["validation.images=5"])


def test_two_classes_of_large_pictures_train_and_are_evaluated() -> None:
    """The network that is trained, kept and judged is the one that follows."""
    save_dataset("pets", noise(24, size=48, classes=2), noise(8, size=48, classes=2), ("cat", "dog"), "made")
    config = plan_run(recipe="tutorial", dataset="pets", overrides=["epochs=1"], device="cpu")
    assert any("fc3 gives 2 outputs" in clause for clause in config.followed)
    run, events = train_here(config)
    assert [event.batch for event in events if isinstance(event, LossLogged)] == [1, 2, 3, 4, 5, 6]
    subject = load_subject(run.id)
    assert [result.name for result in finish(evaluate(subject, "pets")).per_class] == ["cat", "dog"]


def test_a_run_finds_its_data_set_by_its_pixels() -> None:
    """A renamed data set is found; other pixels under the old name are not taken for it."""
    facts = save_dataset("before", noise(20), noise(10), CLASSES, "made")
    run, _ = train_here(plan_run(recipe="tutorial", dataset="before", overrides=["epochs=1"], device="cpu"))
    rename_dataset("before", "after")
    assert find_dataset("before", facts.sha256).name == "after"
    assert dataset_of(load_subject(run.id), None) == "after"
    save_dataset("before", noise(20, seed=1), noise(10), CLASSES, "made")
    assert dataset_of(load_subject(run.id), None) == "after"
    assert load_facts("before").sha256 != facts.sha256
    with pytest.raises(DataError, match="holds other images now"):
        find_dataset("before", "0" * 64)
    with pytest.raises(DataError, match="not here any more"):
        find_dataset("gone", "0" * 64)


def test_runs_are_named_after_recipe_and_network(sketches: DatasetFacts) -> None:
    """Of two equal names, one."""
    for network, expected in (("tutorial", "-tutorial-"), ("compact", "-tutorial-compact-")):
        run = create_run(plan_run(recipe="tutorial", dataset=sketches.name, overrides=[f"network={network}"]))
        assert run.id[13:-3] == expected


def test_padding_wider_than_the_pictures_is_refused() -> None:
    """Mirrored edges cannot be wider than what they mirror."""
    save_dataset("tiny", noise(20, size=12), noise(10, size=12), CLASSES, "made")
    with pytest.raises(UsageError, match=r"crop_padding = 12 is not allowed: the pictures have 12 pixels"):
        plan_run(recipe="augmented", dataset="tiny", overrides=["augment.crop_padding=12", "network=compact"])
