"""A recipe's fields as a flat list of settings, for people, and back."""

import inspect
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from cifartui.errors import UsageError
from cifartui.text import printable
from cifartui.toml import convert_settings
from cifartui.training.recipes.recipe import Recipe


class Setting(msgspec.Struct, frozen=True):
    """One field of a recipe, for people."""

    key: str
    """Dotted, as `--set` takes it: `optimizer.learning_rate`."""
    value: str
    """As TOML spells it."""
    explanation: str
    choices: tuple[str, ...] = ()
    """The values it can have, where they are few words."""
    kinds: tuple[str, ...] = ()
    """What each of the choices is, where it decides which of several tables stands here; else empty."""
    allowed: str = ""
    """Which numbers it can be, in words: `a whole number, at least 1 and at most 100,000`."""


def settings(recipe: Recipe) -> Iterator[Setting]:
    """The fields of a recipe in order, with their explanations."""
    yield from _settings(recipe, "")


def _settings(table: msgspec.Struct, prefix: str) -> Iterator[Setting]:
    for field in _described_table(type(table)).fields:
        value, key = getattr(table, field.name), f"{prefix}{field.name}"
        description, kind = _described(field.type)
        if isinstance(kind, msgspec.inspect.UnionType):
            yield _choice(value, key, description, kind)
        if isinstance(value, msgspec.Struct):
            yield from _settings(value, f"{key}.")
        elif description:
            yield Setting(key, toml_text(value), description, _choices(kind), allowed=_allowed(kind))


@cache
def _described_table(table: type[msgspec.Struct]) -> msgspec.inspect.StructType:
    """What msgspec knows of a type; looked up at every key, and slow to find out."""
    described = msgspec.inspect.type_info(table)
    assert isinstance(described, msgspec.inspect.StructType)
    return described


def _described(kind: msgspec.inspect.Type) -> tuple[str, msgspec.inspect.Type]:
    if isinstance(kind, msgspec.inspect.Metadata):
        return (kind.extra_json_schema or {}).get("description", ""), kind.type
    return "", kind


def _choice(value: msgspec.Struct, key: str, description: str, union: msgspec.inspect.UnionType) -> Setting:
    """Which of several tables stands at `key`, and what it is."""
    config = value.__struct_config__
    assert isinstance(config.tag, str)
    tables = [table for table in union.types if isinstance(table, msgspec.inspect.StructType)]
    return Setting(
        f"{key}.{config.tag_field}",
        config.tag,
        f"{description} {inspect.getdoc(type(value))}".strip(),
        choices=tuple(str(table.tag) for table in tables),
        kinds=tuple(inspect.getdoc(table.cls) or "" for table in tables),
    )


def _choices(kind: msgspec.inspect.Type) -> tuple[str, ...]:
    if isinstance(kind, msgspec.inspect.BoolType):
        return "true", "false"
    return tuple(map(str, kind.values)) if isinstance(kind, msgspec.inspect.LiteralType) else ()


def _allowed(kind: msgspec.inspect.Type) -> str:
    if isinstance(kind, msgspec.inspect.TupleType):
        return f"{len(kind.item_types)} values in brackets, each {_allowed(kind.item_types[0])}"
    if not isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return ""
    bounds = (("at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
    words = [f"{word} {_number(bound)}" for word, bound in bounds if bound is not None]
    noun = "a whole number" if isinstance(kind, msgspec.inspect.IntType) else "a number"
    return ", ".join(filter(None, [noun, " and ".join(words)]))


def _number(bound: float) -> str:
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"


def toml_text(value: object) -> str:
    """A setting's value as TOML spells it, strings without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_text, value))}]"
    return str(value)


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Change settings by `key=value` texts, values spelled as in TOML.

    A table that becomes another kind (`optimizer.name=adamw`) keeps the settings that both kinds have, but for those
    that were as the former kind has them by itself.

    Raises:
        UsageError: an assignment is not of that form, or names a setting or value that is not allowed.
    """
    document = msgspec.to_builtins(recipe)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{printable(assignment, 80)!r} is not a setting: write it as key=value.")
        *tables, last = key.strip().split(".")
        table = document
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UsageError(f"{printable(key, 80)} is not a setting: {printable(name, 80)} has no parts.")
        value = _toml_value(text.strip())
        if kinds := _kinds(tables):
            _leave_former_kind(table, last, value, kinds)
        table[last] = value
    return convert_settings(document, Recipe)


def override_each(recipe: Recipe, assignments: Iterable[str]) -> tuple[Recipe, dict[str, str]]:
    """Change settings as `override` does, passing over what cannot be; also why not, a sentence for each of those."""
    refused: dict[str, str] = {}
    for assignment in assignments:
        try:
            recipe = override(recipe, [assignment])
        except UsageError as error:
            refused[assignment] = str(error)
    return recipe, refused


def _kinds(tables: list[str]) -> list[msgspec.inspect.StructType]:
    """The kinds of table that can stand at a place of a recipe, where there are several."""
    place: Any = _described_table(Recipe)
    for name in tables:
        fields = place.fields if isinstance(place, msgspec.inspect.StructType) else ()
        place = next((_described(field.type)[1] for field in fields if field.name == name), None)
    kinds = place.types if isinstance(place, msgspec.inspect.UnionType) else ()
    return [kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)]


def _leave_former_kind(
    table: dict[str, Any], changed: str, value: object, kinds: list[msgspec.inspect.StructType]
) -> None:
    """Drop the settings that do not go over into another kind, if it is the kind that changes to `value`."""
    former = next((kind for kind in kinds if kind.tag_field == changed and kind.tag == table.get(changed)), None)
    chosen = next((kind for kind in kinds if kind.tag_field == changed and kind.tag == value), None)
    if former is None or chosen is None or chosen is former:
        return
    own = {field.name for field in chosen.fields}
    for field in former.fields:
        if field.name not in own or table.get(field.name) == field.default:
            table.pop(field.name, None)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a word without quotes, as people type it
