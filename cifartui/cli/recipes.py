"""`cifartui recipes list | show | save | remove`."""

import argparse
from pathlib import Path

import msgspec

from cifartui.cli.output import complain, make_console, print_json, say, table
from cifartui.cli.parsing import Commands, add_assignments, add_json, group
from cifartui.text import printable
from cifartui.training.recipes.document import Expected, encode_recipe
from cifartui.training.recipes.files import (
    ListedRecipe,
    described_by_changes,
    list_recipes,
    load_recipe,
    load_recipe_file,
    own_recipe_file,
    own_recipe_names,
    recipe_names,
    remove_recipe,
    save_recipe,
)
from cifartui.training.recipes.settings import override, settings

DEFAULT = "tutorial"


class RecipeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe, as `recipes list --json` tells it; of a damaged one what can be read."""

    name: str
    own: bool
    """Whether it is the user's; else it comes with the program."""
    description: str = ""
    network: str = ""
    epochs: int | None = None
    batch_size: int | None = None
    expected: Expected | None = None
    """What it came to where it was measured; None where it was not."""
    problem: str = ""


class RecipeReport(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe, as `recipes show --json` tells it."""

    name: str
    own: bool
    description: str
    expected: Expected | None
    settings: dict[str, str]
    """As `--set` takes them."""


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "recipes", "look at recipes, and keep your own")

    listing = actions.add_parser("list", help="list the recipes: the program's and your own")
    add_json(listing)
    listing.set_defaults(handler=list_)

    showing = actions.add_parser("show", help="print a recipe as a TOML file, with a sentence about each setting")
    showing.add_argument("name", metavar="NAME|FILE.toml")
    add_json(showing)
    showing.set_defaults(handler=show)

    saving = actions.add_parser("save", help="keep a recipe of your own, which `train --recipe NAME` takes")
    saving.add_argument("name", metavar="NAME")
    saving.add_argument("--recipe", default=DEFAULT, metavar="NAME|FILE", help=f"the one to begin with ({DEFAULT})")
    add_assignments(saving)
    add_json(saving)
    saving.set_defaults(handler=save)

    removing = actions.add_parser("remove", help="remove a recipe of your own")
    removing.add_argument("name", metavar="NAME")
    add_json(removing)
    removing.set_defaults(handler=remove)


def list_(options: argparse.Namespace) -> None:
    """List all recipes."""
    listed = list_recipes()
    if options.json:
        print_json([_line(item) for item in listed])
        return
    rows = table("name", "", "network", "epochs", "batch", "expected", "", right=("epochs", "batch"))
    for item in listed:
        if item.recipe:
            recipe = item.recipe
            rows.add_row(
                item.name,
                "own" if item.is_own else "",
                printable(recipe.network, 40),
                f"{recipe.epochs:,}",
                f"{recipe.batch_size:,}",
                item.expected.words if item.expected else "",
                printable(recipe.description),
            )
    make_console().print(rows)
    for item in listed:
        if item.problem:
            complain(item.problem)


def _line(item: ListedRecipe) -> RecipeLine:
    if item.recipe is None:
        return RecipeLine(name=item.name, own=item.is_own, problem=item.problem)
    return RecipeLine(
        name=item.name,
        own=item.is_own,
        description=item.recipe.description,
        network=item.recipe.network,
        epochs=item.recipe.epochs,
        batch_size=item.recipe.batch_size,
        expected=item.expected,
    )


def show(options: argparse.Namespace) -> None:
    """Print one recipe."""
    file = load_recipe_file(options.name)
    recipe = file.recipe
    if options.json:
        is_own = options.name not in recipe_names()
        values = {setting.key: setting.value for setting in settings(recipe)}
        print_json(
            RecipeReport(
                name=options.name, own=is_own, description=recipe.description, expected=file.expected, settings=values
            )
        )
        return
    if file.expected:
        say(f"# Measured: {file.expected.words}.")
    for line in encode_recipe(recipe).splitlines():
        say(line)


def save(options: argparse.Namespace) -> None:
    """Keep a recipe of the user's own."""
    recipe = override(load_recipe(options.recipe), options.assignments)
    replaced = options.name in own_recipe_names()
    path = save_recipe(options.name, described_by_changes(recipe, options.recipe, options.assignments))
    _say_where(options, path, "replaced" if replaced else "kept")


def remove(options: argparse.Namespace) -> None:
    """Remove a recipe of the user's own."""
    path = own_recipe_file(options.name)
    remove_recipe(options.name)
    _say_where(options, path, "removed")


def _say_where(options: argparse.Namespace, path: Path, outcome: str) -> None:
    if options.json:
        print_json({"name": options.name, "file": str(path), "outcome": outcome})
    else:
        say(f"{options.name} is {outcome} ({path})")
