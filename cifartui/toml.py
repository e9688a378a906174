"""TOML files checked against a type, with sentences that name the key, the value and what is allowed."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cifartui.errors import UsageError
from cifartui.text import printable

Document = TypeVar("Document", bound=msgspec.Struct)

MAX_BYTES = 1_000_000
_WORDS = {"`int`": "a whole number", "`float`": "a number", "`str`": "text", "`array`": "a list", "`object`": "a table"}


def read_toml(path: Path, document_type: type[Document]) -> Document:
    """Read a TOML file; of one that is too long nothing is read.

    Raises:
        UsageError: it is too long or no TOML, or a key or value does not belong there.
        OSError: it cannot be read.
    """
    return decode_toml(read_bounded(path), document_type, str(path))


def read_bounded(path: Path) -> bytes:
    """Read the bytes of a TOML file; of one that is too long nothing is read.

    Raises:
        UsageError: it is too long.
        OSError: it cannot be read.
    """
    _check_length(path.stat().st_size, str(path))
    return path.read_bytes()


def decode_toml(data: bytes, document_type: type[Document], origin: str) -> Document:
    """Decode the bytes of a TOML file that `origin` names.

    Raises:
        UsageError: it is no TOML, or a key or value does not belong there.
    """
    return convert_settings(parse_toml(data, origin), document_type, origin)


def parse_toml(data: bytes, origin: str) -> dict[str, Any]:
    """Parse the bytes of a TOML file that `origin` names, whatever its keys are.

    Raises:
        UsageError: it is too long or no TOML.
    """
    _check_length(len(data), origin)
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{printable(origin)} is not valid TOML: {printable(str(error))}; correct that line."
        ) from error


def _check_length(length: int, origin: str) -> None:
    if length > MAX_BYTES:
        raise UsageError(f"{printable(origin)} has {length:,} bytes; a file of settings has at most {MAX_BYTES:,}.")


def convert_settings(document: dict[str, Any], document_type: type[Document], origin: str = "") -> Document:
    """Turn plain dictionaries into `document_type`; `origin` is the file they stand in, if any.

    Raises:
        UsageError: a key is unknown or missing, or a value is not allowed.
    """
    try:
        return msgspec.convert(document, document_type)
    except msgspec.ValidationError as error:
        sentence = _sentence(str(error), document, document_type)
        raise UsageError(f"{printable(origin)}: {sentence}" if origin else sentence) from error


def _sentence(complaint: str, document: dict[str, Any], document_type: type[msgspec.Struct]) -> str:
    what, _, path = complaint.partition(" - at `$")
    keys = [int(index) if index else key for key, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", path)]
    place = ".".join(map(str, keys))
    unknown = re.search(r"unknown field `(.*)`", what)
    if unknown:
        full_key = printable(".".join(filter(None, [place, unknown[1]])), 80)
        allowed = _field_names(document_type, keys, document)
        return f"{full_key} is not a setting; allowed here: {', '.join(allowed)}."
    missing = re.search(r"missing required field `(.*)`", what)
    if missing:
        return f"{'.'.join(filter(None, [place, missing[1]]))} is missing; add it."
    value: Any = document
    for key in keys:
        value = value[key]
    choices = _choices(document_type, keys, document)
    what = what.replace(" | null`", "`")  # TOML has none
    for term, words in _WORDS.items():
        what = what.replace(term, words)
    rule = f"choose one of {', '.join(choices)}" if choices else f"{what[:1].lower()}{what[1:]}"
    return f"{place} = {printable(repr(value), 80)} is not allowed: {rule}."


def _type_at(document_type: type[msgspec.Struct], keys: list[Any], document: Any) -> Any:
    """The msgspec description of the type at the place that `keys` lead to."""
    place: Any = msgspec.inspect.type_info(document_type)
    for key in keys:
        document = document[key]
        if isinstance(place, msgspec.inspect.StructType):
            place = next(field.type for field in place.fields if field.encode_name == key)
        elif isinstance(place, msgspec.inspect.TupleType):
            place = place.item_types[key]
        else:
            place = place.item_type
        if isinstance(place, msgspec.inspect.Metadata):
            place = place.type
        if isinstance(place, msgspec.inspect.UnionType):
            place = _meant(place, document)
    return place


def _meant(union: msgspec.inspect.UnionType, value: Any) -> msgspec.inspect.Type:
    """The one type of a union that a value is meant as: the table of its tag, or what else than nothing is allowed."""
    kinds = [kind for kind in union.types if not isinstance(kind, msgspec.inspect.NoneType)]
    if len(kinds) == 1:
        return kinds[0]
    tables = [kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)]
    tags = value if isinstance(value, dict) else {}
    return next((table for table in tables if table.tag == tags.get(table.tag_field)), union)


def _field_names(document_type: type[msgspec.Struct], keys: list[Any], document: Any) -> list[str]:
    place = _type_at(document_type, keys, document)
    tag_field = [place.tag_field] if place.tag_field else []
    return tag_field + [field.encode_name for field in place.fields]


def _choices(document_type: type[msgspec.Struct], keys: list[Any], document: Any) -> list[str]:
    """The values a setting can have, where they are few words."""
    table = _type_at(document_type, keys[:-1], document)
    if isinstance(table, msgspec.inspect.UnionType):
        return [str(choice.tag) for choice in table.types if isinstance(choice, msgspec.inspect.StructType)]
    place = _type_at(document_type, keys, document)
    return [str(value) for value in place.values] if isinstance(place, msgspec.inspect.LiteralType) else []
