"""Recipes: the tutorial's numbers, overrides, and sentences for what is wrong."""

from pathlib import Path

import pytest

from cifartui.errors import DataError, UsageError
from cifartui.training.recipes.files import load_recipe, recipe_names
from cifartui.training.recipes.optimizers import SGD
from cifartui.training.recipes.settings import override, settings


def test_tutorial_recipe_is_the_tutorial_to_the_letter() -> None:
    """Batch 4, SGD 0.001 with momentum 0.9, two epochs, mean and std 0.5, a line every 2000."""
    recipe = load_recipe("tutorial")
    assert (recipe.batch_size, recipe.epochs, recipe.log_every, recipe.loss) == (4, 2, 2000, "cross_entropy")
    assert recipe.optimizer == SGD(learning_rate=0.001, momentum=0.9)
    assert recipe.normalize.mean == recipe.normalize.std == (0.5, 0.5, 0.5)
    assert recipe.loader.shuffle
    assert recipe.validation.images == 0


def test_every_setting_of_every_recipe_is_explained() -> None:
    """No setting reaches the screen without a sentence about it."""
    for name in recipe_names():
        assert all(setting.explanation for setting in settings(load_recipe(name)))


def test_settings_say_what_is_allowed() -> None:
    """Few words are choices, numbers have bounds; both come from the fields' types."""
    allowed = {setting.key: setting.choices or setting.allowed for setting in settings(load_recipe("tutorial"))}
    assert allowed["loader.kind"] == ("dataloader", "resident")
    assert allowed["augment.flip"] == ("true", "false")
    assert allowed["epochs"] == "a whole number, at least 1 and at most 100,000"
    assert allowed["optimizer.momentum"] == "a number, at least 0 and below 1"
    assert allowed["optimizer.learning_rate"] == "a number, above 0 and at most 100"
    assert allowed["normalize.std"] == "3 values in brackets, each a number, above 0 and at most 1,000,000"
    assert [key for key, what in allowed.items() if not what] == ["network"]


def test_settings_can_be_written_back_as_overrides() -> None:
    """The texts that the screen shows are the texts that `--set` takes."""
    recipe = load_recipe("held-out")
    assignments = [f"{setting.key}={setting.value}" for setting in settings(recipe)]
    assert override(recipe, assignments) == recipe


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("lr=0.1", "lr is not a setting; allowed here: description, network, epochs"),
        ("optimizer.lr=0.1", "optimizer.lr is not a setting; allowed here: name, learning_rate, weight_decay"),
        ("loader.kind=fast", "loader.kind = 'fast' is not allowed: choose one of dataloader, resident"),
        ("epochs=0", "epochs = 0 is not allowed: expected a whole number >= 1"),
        ("epochs=many", "epochs = 'many' is not allowed: expected a whole number, got text"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate = nan is not allowed"),
        ("normalize.std=[0,1,1]", "normalize.std.0 = 0 is not allowed"),
        ("epochs.more=1", "epochs.more is not a setting"),
        ("epochs", "write it as key=value"),
    ],
)
def test_bad_override_is_refused_in_one_sentence(assignment: str, sentence: str) -> None:
    """The sentence names the key, the value and what is allowed."""
    with pytest.raises(UsageError) as caught:
        override(load_recipe("tutorial"), [assignment])
    assert sentence in str(caught.value)


def test_recipe_file_names_its_network_relative_to_itself(tmp_path: Path) -> None:
    """A recipe beside its network works from any folder."""
    source = Path(__file__).parents[2] / "cifartui" / "training" / "recipes" / "tutorial.toml"
    (tmp_path / "mine.toml").write_text(source.read_text().replace('network = "tutorial"', 'network = "net.toml"'))
    assert load_recipe(str(tmp_path / "mine.toml")).network == str(tmp_path / "net.toml")
    (tmp_path / "mine.toml").write_text(source.read_text().replace('network = "tutorial"', 'network = "os:abort"'))
    with pytest.raises(UsageError, match=r"mine\.toml: a file cannot name code to run"):
        load_recipe(str(tmp_path / "mine.toml"))
    with pytest.raises(DataError, match="There is no recipe"):
        load_recipe(str(tmp_path / "missing.toml"))


@pytest.mark.parametrize("name", ["quick", "steady", "strong"])
def test_recipes_for_accuracy_fall_to_almost_nothing(name: str) -> None:
    """Their last steps hardly change the weights, so that the last checkpoint is as good as any."""
    recipe = load_recipe(name)
    steps = 50_000 // recipe.batch_size
    factors = [recipe.schedule.factor(step, steps, recipe.epochs) for step in range(steps * recipe.epochs)]
    assert max(factors) == pytest.approx(1.0, abs=1e-3)
    assert factors[-1] < 2e-3
