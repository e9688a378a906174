"""A recipe as a file: the recipe, its format, and what training by it came to where that was measured."""

import textwrap
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import tomli_w

from cifartui.errors import UsageError
from cifartui.text import clock, printable
from cifartui.toml import convert_settings, parse_toml
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import Setting, settings, toml_text

FORMAT = 1
"""Of files of recipes; a program that writes what this one would misread counts on."""
COMMENT_CELLS = 100


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What training by a recipe came to; told to people, and part of no run."""

    accuracy: Annotated[float, msgspec.Meta(gt=0, le=1)]
    """On the test images, 0-1."""
    seconds: Annotated[float, msgspec.Meta(gt=0)]
    """Of training, from the first step to the last."""
    machine: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """On which both were measured: `2 cores of an AMD EPYC`."""

    @property
    def words(self) -> str:
        """`53.5 % in 0:20 on 2 cores of an AMD EPYC`."""
        return f"{self.accuracy:.1%} in {clock(self.seconds)} on {printable(self.machine)}".replace("%", " %", 1)


class RecipeFile(Recipe, frozen=True, kw_only=True):
    """What stands in a recipe's file."""

    format: int = FORMAT
    expected: Expected | None = None
    """None where nobody measured it."""

    @property
    def recipe(self) -> Recipe:
        """What a run takes of it."""
        return Recipe(**{name: getattr(self, name) for name in Recipe.__struct_fields__})


def decode_recipe(data: bytes, origin: str) -> RecipeFile:
    """Decode the bytes of a recipe's file that `origin` names.

    Raises:
        UsageError: it is no TOML, no recipe, or one of a newer format.
    """
    document = parse_toml(data, origin)
    version = document.get("format", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        raise UsageError(
            f"{printable(origin)} is a recipe of a newer cifartui (format {version}, this one reads up to {FORMAT}); "
            "update the program, or write the recipe anew."
        )
    return convert_settings(document, RecipeFile, origin)


def encode_recipe(recipe: Recipe) -> str:
    """A recipe as the text of a TOML file, with a sentence above each setting."""
    explained = {setting.key: setting for setting in settings(recipe)}
    return f"format = {FORMAT}\n" + "\n".join(_table(msgspec.to_builtins(recipe), "", explained)) + "\n"


def _table(table: dict[str, Any], path: str, explained: dict[str, Setting]) -> Iterator[str]:
    values = {name: value for name, value in table.items() if not isinstance(value, dict) and value is not None}
    if path and values:
        yield from ("", f"[{path}]")
    for name, value in values.items():
        key = f"{path}.{name}" if path else name
        if key in explained:
            yield from _comment(explained[key])
        yield f"{name} = {_spelled(value)}"
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _table(value, f"{path}.{name}" if path else name, explained)


def _comment(setting: Setting) -> list[str]:
    allowed = f" Allowed: {setting.allowed}." if setting.allowed else ""
    choices = f" One of: {', '.join(setting.choices)}." if setting.choices else ""
    return textwrap.wrap(
        f"{setting.explanation}{allowed}{choices}", COMMENT_CELLS, initial_indent="# ", subsequent_indent="# "
    )


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")
    return toml_text(value)
