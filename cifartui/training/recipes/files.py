"""The recipes that come with the program, the user's own in its folder, and those in files elsewhere."""

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec

from cifartui import home
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.failures import failure
from cifartui.files import sync_folder, write_durably
from cifartui.text import printable
from cifartui.toml import read_bounded
from cifartui.training.recipes.document import Expected, RecipeFile, decode_recipe, encode_recipe
from cifartui.training.recipes.recipe import Recipe

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""As of data sets."""
SUFFIX = ".toml"
DESCRIPTION_CHARACTERS = 160
"""Of one that the program writes."""


class ListedRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe in a list, also one that cannot be read."""

    name: str
    is_own: bool
    """Whether it is a file of the user's own; else it comes with the program."""
    recipe: Recipe | None = None
    """None where it cannot be read."""
    expected: Expected | None = None
    problem: str = ""
    """Why it cannot be used, in a sentence."""


def recipe_names() -> list[str]:
    """The names of the recipes that come with the program."""
    return sorted(file.name.removesuffix(SUFFIX) for file in _shipped().iterdir() if file.name.endswith(SUFFIX))


def own_recipe_names() -> list[str]:
    """The names of the files in the user's folder of recipes."""
    return sorted(path.name.removesuffix(SUFFIX) for path in home.recipes_folder().glob(f"[!.]*{SUFFIX}"))


def list_recipes() -> list[ListedRecipe]:
    """All recipes, those that come with the program first, the user's own after them."""
    shipped = [(name, False) for name in recipe_names()]
    return [_listed(name, is_own=is_own) for name, is_own in [*shipped, *((name, True) for name in own_recipe_names())]]


def load_recipe(name_or_file: str) -> Recipe:
    """Load a recipe that comes with the program or one of the user's own by name, or a `.toml` file by its path.

    Raises:
        DataError: there is no such recipe.
        UsageError: the file does not describe a recipe.
        OSError: it cannot be read.
    """
    return load_recipe_file(name_or_file).recipe


def load_recipe_file(name_or_file: str) -> RecipeFile:
    """Load a recipe as `load_recipe` does, with what is expected of it."""
    if name_or_file in recipe_names():
        return decode_recipe((_shipped() / f"{name_or_file}{SUFFIX}").read_bytes(), f"recipe {name_or_file}")
    if re.fullmatch(NAME_PATTERN, name_or_file) and own_recipe_file(name_or_file).is_file():
        return _read(own_recipe_file(name_or_file))
    path = Path(name_or_file)
    if not (name_or_file.endswith(SUFFIX) and path.is_file()):
        raise DataError(
            f"There is no recipe {printable(name_or_file, 200)!r}; "
            f"choose one of {', '.join(map(printable, recipe_names() + own_recipe_names()))}, or name a .toml file."
        )
    return _read(path)


def own_recipe_file(name: str) -> Path:
    """Where a recipe of the user's own is kept."""
    return home.recipes_folder() / f"{name}{SUFFIX}"


def save_recipe(name: str, recipe: Recipe) -> Path:
    """Keep a recipe as one of the user's own; one of that name that was kept before is replaced.

    Raises:
        UsageError: the name cannot name one, or is a shipped recipe's; or the network is code of the user's.
        OSError: it cannot be written.
    """
    _check_own_name(name)
    if ":" in recipe.network:
        raise UsageError(
            f"{printable(recipe.network, 80)} is code of your own, which a recipe cannot name: keep the recipe with "
            "another network, and name yours when you start: `--set network=package.module:name`."
        )
    if recipe.network.endswith(SUFFIX):
        recipe = msgspec.structs.replace(recipe, network=str(Path(recipe.network).absolute()))
    path = own_recipe_file(name)
    write_durably(path, encode_recipe(recipe).encode())
    return path


def described_by_changes(recipe: Recipe, origin: str, assignments: Sequence[str]) -> Recipe:
    """A recipe made of another by `key=value` texts, with a description that says so where they do not bring one."""
    if not assignments or any(assignment.partition("=")[0].strip() == "description" for assignment in assignments):
        return recipe
    description = printable(f"{origin} with {', '.join(assignments)}", DESCRIPTION_CHARACTERS)
    return msgspec.structs.replace(recipe, description=description)


def remove_recipe(name: str) -> None:
    """Remove a recipe of the user's own, also a damaged one.

    Raises:
        UsageError: it comes with the program, or nothing could have that name.
        DataError: there is none.
        OSError: it cannot be removed.
    """
    if name in recipe_names() and name not in own_recipe_names():
        raise UsageError(f"{name} comes with the program and stays; only recipes of your own can be removed.")
    if name not in own_recipe_names():
        own = ", ".join(map(printable, own_recipe_names())) or "none"
        raise DataError(f"There is no recipe {printable(name, 80)!r} of your own; there is: {own}.")
    own_recipe_file(name).unlink()
    sync_folder(home.recipes_folder())


def _check_own_name(name: str) -> None:
    if not re.fullmatch(NAME_PATTERN, name) or name.endswith(SUFFIX):
        raise UsageError(
            f"{printable(name, 80)!r} cannot name a recipe: use 1 to 64 letters, digits, dots, dashes, underscores, "
            f"and leave {SUFFIX} out."
        )
    if name in recipe_names():
        raise UsageError(f"{name} comes with the program and stays as it is; choose another name.")


def _listed(name: str, *, is_own: bool) -> ListedRecipe:
    try:
        if is_own:
            _check_own_name(name)
        file = load_recipe_file(name)
    except (CifartuiError, OSError) as error:
        return ListedRecipe(name=name, is_own=is_own, problem=str(failure(error)))
    return ListedRecipe(name=name, is_own=is_own, recipe=file.recipe, expected=file.expected)


def _read(path: Path) -> RecipeFile:
    recipe = decode_recipe(read_bounded(path), str(path))
    if ":" in recipe.network:
        raise UsageError(
            f"{printable(str(path))}: a file cannot name code to run; leave network to the command line, as "
            "`--set network=package.module:name`."
        )
    if recipe.network.endswith(SUFFIX):  # relative to the recipe that names it
        recipe = msgspec.structs.replace(recipe, network=str(path.parent / recipe.network))
    return recipe


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.training.recipes")
