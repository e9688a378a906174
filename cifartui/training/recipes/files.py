"""The recipes that come with the program, and those in files."""

from importlib import resources
from pathlib import Path

import msgspec

from cifartui.errors import DataError, UsageError
from cifartui.text import printable
from cifartui.toml import decode_toml, read_toml
from cifartui.training.recipes.recipe import Recipe


def recipe_names() -> list[str]:
    """The names of the recipes that come with the program."""
    return sorted(Path(file.name).stem for file in _shipped().iterdir() if file.name.endswith(".toml"))


def load_recipe(name_or_file: str) -> Recipe:
    """Load a shipped recipe by name, or a user's by the path of its `.toml` file.

    Raises:
        DataError: there is no such recipe.
        UsageError: the file does not describe a recipe.
    """
    if name_or_file in recipe_names():
        return decode_toml((_shipped() / f"{name_or_file}.toml").read_bytes(), Recipe, f"recipe {name_or_file}")
    path = Path(name_or_file)
    if not (name_or_file.endswith(".toml") and path.is_file()):
        raise DataError(
            f"There is no recipe {printable(name_or_file, 200)!r}; "
            f"choose one of {', '.join(recipe_names())}, or name a .toml file."
        )
    recipe = read_toml(path, Recipe)
    if ":" in recipe.network:
        raise UsageError(
            f"{printable(str(path))}: a file cannot name code to run; leave network to the command line, as "
            "`--set network=package.module:name`."
        )
    if recipe.network.endswith(".toml"):  # relative to the recipe that names it
        recipe = msgspec.structs.replace(recipe, network=str(path.parent / recipe.network))
    return recipe


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.training.recipes")
