"""Recipes of the user's own: kept as files, found by name, listed also when damaged, never in a shipped one's place."""

import os
import tomllib
from pathlib import Path

import pytest

from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.training.recipes.document import FORMAT, Expected, decode_recipe, encode_recipe
from cifartui.training.recipes.files import (
    described_by_changes,
    list_recipes,
    load_recipe,
    load_recipe_file,
    own_recipe_file,
    recipe_names,
    remove_recipe,
    save_recipe,
)
from cifartui.training.recipes.settings import override, settings

TUTORIAL = load_recipe("tutorial")


@pytest.mark.parametrize("name", recipe_names())
def test_recipe_written_as_a_file_is_the_same_recipe(name: str) -> None:
    """Every setting stands in the file with its explanation above it, strings quoted, numbers as they were."""
    recipe = load_recipe(name)
    text = encode_recipe(recipe)
    assert decode_recipe(text.encode(), "a test").recipe == recipe
    comments = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    assert all(setting.explanation in comments for setting in settings(recipe))


def test_what_has_awkward_text_comes_back() -> None:
    """Quotes, backslashes and line ends in a description."""
    recipe = override(TUTORIAL, ["optimizer.name=adamw", 'description="a \\"b\\" \\\\ c\\n# d = 1"'])
    assert decode_recipe(encode_recipe(recipe).encode(), "a test").recipe == recipe


def test_own_recipe_is_found_by_its_name_and_removed() -> None:
    """It stands after the shipped ones; a second save of the name replaces it."""
    for epochs in (7, 9):
        save_recipe("mine", override(TUTORIAL, [f"epochs={epochs}"]))
    assert load_recipe("mine").epochs == 9
    assert [(item.name, item.is_own) for item in list_recipes()][-1] == ("mine", True)
    remove_recipe("mine")
    assert not own_recipe_file("mine").exists()
    with pytest.raises(DataError, match="There is no recipe 'mine' of your own; there is: none"):
        remove_recipe("mine")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tutorial", "tutorial comes with the program and stays as it is; choose another name"),
        ("../mine", "cannot name a recipe"),
        ("", "cannot name a recipe"),
        (".mine", "cannot name a recipe"),
        ("mine.toml", "leave .toml out"),
        ("m" * 65, "use 1 to 64 letters"),
        ("mi\x1b[2Jne", "'mi�[2Jne' cannot name"),
    ],
)
def test_bad_name_keeps_nothing(name: str, sentence: str, home: Path) -> None:
    """One sentence, and no file."""
    with pytest.raises(UsageError) as caught:
        save_recipe(name, TUTORIAL)
    assert sentence in str(caught.value)
    assert not list(home.rglob("*.toml"))


def test_shipped_recipe_cannot_be_removed_or_hidden() -> None:
    """A file that has its name, put there by hand, is said not to count; it can be removed."""
    with pytest.raises(UsageError, match="comes with the program and stays"):
        remove_recipe("tutorial")
    own_recipe_file("tutorial").write_text(encode_recipe(override(TUTORIAL, ["epochs=9"])))
    assert load_recipe("tutorial").epochs == 2
    assert "choose another name" in list_recipes()[-1].problem
    remove_recipe("tutorial")
    assert load_recipe("tutorial").epochs == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            f"format = {FORMAT + 1}\nfuture = true\n",
            "is a recipe of a newer cifartui (format 2, this one reads up to 1)",
        ),
        ("epochs = \n", "is not valid TOML"),
        ("epochs = 3\n", "is missing; add it"),
        (encode_recipe(TUTORIAL).replace("momentum = 0.9", "momentum = 9"), "momentum = 9 is not allowed"),
        (encode_recipe(TUTORIAL).replace('network = "tutorial"', 'network = "os:abort"'), "cannot name code to run"),
        ("#" * 1_000_001, "bytes; a file of settings has at most"),
    ],
)
def test_damaged_own_recipe_is_one_sentence_in_a_whole_list(content: str, sentence: str) -> None:
    """Of a newer version, no TOML, incomplete, out of bounds, dangerous, endless: the others stay in the list."""
    save_recipe("good", TUTORIAL)
    own_recipe_file("bad").write_text(content)
    listed = {item.name: item for item in list_recipes()}
    assert sentence in listed["bad"].problem
    assert listed["good"].recipe == TUTORIAL
    assert all(listed[name].recipe for name in recipe_names())
    with pytest.raises(CifartuiError) as caught:
        load_recipe("bad")
    assert str(caught.value) == listed["bad"].problem
    remove_recipe("bad")


def test_list_waits_for_no_pipe_and_takes_no_folder() -> None:
    """What is no file is told like what is not there."""
    os.mkfifo(own_recipe_file("pipe"))
    own_recipe_file("folder").mkdir()
    listed = {item.name: item.problem for item in list_recipes()}
    assert "There is no recipe 'pipe'" in listed["pipe"]
    assert "There is no recipe 'folder'" in listed["folder"]


def test_network_of_an_own_recipe_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named by its full path; code of the user's own cannot be named."""
    monkeypatch.chdir(tmp_path)
    save_recipe("mine", override(TUTORIAL, ["network=net.toml"]))
    assert load_recipe("mine").network == str(tmp_path / "net.toml")
    with pytest.raises(UsageError, match="code of your own, which a recipe cannot name"):
        save_recipe("mine", override(TUTORIAL, ["network=nets:Net"]))


def test_what_was_measured_is_told_and_no_part_of_a_run() -> None:
    """`[expected]` is read beside the recipe; no setting has its name, and a copy of one's own promises nothing."""
    text = encode_recipe(TUTORIAL) + '[expected]\naccuracy = 0.537\nseconds = 20\nmachine = "2 cores"\n'
    own_recipe_file("measured").write_text(text)
    file = load_recipe_file("measured")
    assert file.expected == Expected(accuracy=0.537, seconds=20, machine="2 cores")
    assert file.expected.words == "53.7 % in 0:20 on 2 cores"
    assert not [setting for setting in settings(file.recipe) if "expected" in setting.key]
    with pytest.raises(UsageError, match="expected is not a setting"):
        override(file.recipe, ["expected.accuracy=1"])
    save_recipe("copy", file.recipe)
    assert load_recipe_file("copy").expected is None
    assert tomllib.loads(own_recipe_file("copy").read_text())["format"] == FORMAT


def test_description_says_what_was_changed_unless_it_was_given() -> None:
    """`tutorial with epochs=7`; a description that was set stays."""
    changed = override(TUTORIAL, ["epochs=7"])
    assert described_by_changes(changed, "tutorial", ["epochs=7"]).description == "tutorial with epochs=7"
    assert described_by_changes(TUTORIAL, "tutorial", []).description == TUTORIAL.description
    named = override(TUTORIAL, ["description=longer"])
    assert described_by_changes(named, "tutorial", ["description=longer"]).description == "longer"
