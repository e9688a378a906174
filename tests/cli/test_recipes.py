"""Recipes by command: listed, shown, kept, trained by and removed."""

import json

import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.training.launch import plan_run
from cifartui.training.recipes.document import decode_recipe
from cifartui.training.recipes.files import load_recipe, own_recipe_file


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """What a command says with `--json`."""
    assert run_command(["recipes", *arguments, "--json"]) == 0
    value: dict[str, object] = json.loads(capsys.readouterr().out)
    return value


def test_recipe_is_kept_shown_trained_by_and_removed(
    capsys: pytest.CaptureFixture[str], sketches: DatasetFacts
) -> None:
    """`save` begins with another recipe and changes it; `train --recipe` finds it by its name."""
    saved = answer(capsys, "save", "my.own", "--recipe", "held-out", "--set", "optimizer.name=adamw")
    assert saved == {"name": "my.own", "file": str(own_recipe_file("my.own")), "outcome": "kept"}
    assert answer(capsys, "save", "my.own", "--set", "epochs=3")["outcome"] == "replaced"
    shown = answer(capsys, "show", "my.own")
    assert (shown["own"], shown["description"]) == (True, "tutorial with epochs=3")
    assert isinstance(shown["settings"], dict)
    assert shown["settings"]["epochs"] == "3"
    config = plan_run(recipe="my.own", dataset=sketches.name)
    assert (config.recipe, config.settings.epochs) == ("my-own", 3)
    assert answer(capsys, "remove", "my.own")["outcome"] == "removed"
    assert run_command(["recipes", "show", "my.own"]) == 3


def test_shown_recipe_is_a_file_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """What `show` prints can be kept and named."""
    assert run_command(["recipes", "show", "tutorial"]) == 0
    printed = capsys.readouterr().out
    assert decode_recipe(printed.encode(), "what was printed").recipe == load_recipe("tutorial")
    assert "# How often training goes through all training images. Allowed: a whole number" in printed


def test_list_is_whole_beside_a_damaged_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Its sentence goes to stderr, or stands beside its name for programs."""
    own_recipe_file("bad").write_text("format = 99\n")
    assert run_command(["recipes", "list"]) == 0
    told = capsys.readouterr()
    assert "PyTorch's CIFAR-10 tutorial, to the letter." in told.out
    assert "newer cifartui" in told.err
    assert run_command(["recipes", "list", "--json"]) == 0
    lines = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
    assert "newer cifartui" in lines["bad"]["problem"]
    assert lines["tutorial"]["epochs"] == 2


def test_wrong_changes_keep_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the key; nothing is written."""
    assert run_command(["recipes", "save", "mine", "--set", "epochs=0"]) == 2
    assert "epochs = 0 is not allowed" in capsys.readouterr().err
    assert not own_recipe_file("mine").exists()
    assert run_command(["recipes", "save", "tutorial"]) == 2
