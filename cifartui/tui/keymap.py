"""The user's own keys: `keys.toml` in the program's folder, with the ids of bindings and the keys they are to have."""

import difflib
import importlib
import pkgutil
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys

import cifartui.tui
from cifartui import home
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.text import printable
from cifartui.toml import parse_toml, read_bounded

FILE_NAME = "keys.toml"
EVERYWHERE = {"show", "help", "leave", "suspend"}
"""First parts of the ids of keys that work on every screen."""
TOGETHER = ({"training", "settings", "chart"}, {"runs", "comparison", "chart"}, {"look", "maps", "walk"})
"""First parts of ids whose keys work on one screen at the same time, beside those that begin alike."""
MODIFIERS = {"ctrl", "shift", "alt"}


class OwnKeys(NamedTuple):
    """What the user's file makes of the keys."""

    keymap: dict[str, str]
    """Keys by the ids of bindings, several with commas between them, as `App.set_keymap` wants them."""
    problem: str = ""
    """What of the file makes no sense, in a sentence."""


def keys_file() -> Path:
    """Where the user's own keys are written down."""
    return home.home() / FILE_NAME


def own_keys() -> OwnKeys:
    """Read the user's own keys; what cannot be used is left out, so that its binding keeps the program's own key."""
    file = keys_file()
    try:
        if not file.exists():
            return OwnKeys({})
        asked = dict(_flat(parse_toml(read_bounded(file), str(file))))
    except (CifartuiError, OSError) as error:
        return OwnKeys({}, f"The program's own keys are used: {failure(error)}")
    return keymap_of(asked, program_bindings())


def program_bindings() -> list[Binding]:
    """Every binding of the program that has an id; all screens are imported for that."""
    for module in pkgutil.walk_packages(cifartui.tui.__path__, f"{cifartui.tui.__name__}."):
        importlib.import_module(module.name)
    owners = [owner for owner in _below(DOMNode) if owner.__module__.startswith("cifartui.")]
    bindings = [binding for owner in owners for binding in owner.__dict__.get("BINDINGS", ())]
    return [binding for binding in bindings if isinstance(binding, Binding) and binding.id]


def keymap_of(asked: dict[str, Any], bindings: list[Binding]) -> OwnKeys:
    """The keymap of what a file asks for; a key that another binding of the same screen has is not taken from it."""
    own = {str(binding.id): _keys(binding.key.split(",")) for binding in bindings}
    wanted, problems = {}, []
    for name, value in asked.items():
        texts = value if isinstance(value, list) else [value]
        keys = _keys([text for text in texts if isinstance(text, str)])
        if name not in own:
            near = difflib.get_close_matches(name, own, 1)
            problems.append(f"{printable(name, 60)} is no key's id{f' ({near[0]}?)' if near else ''}")
        elif not keys or len(keys) < len(texts) or not all(map(_is_key, keys)):
            problems.append(f"{printable(str(value), 40)} for {name} is no key")
        else:
            wanted[name] = keys
    while taken := next(_taken(wanted, own), None):
        name, key, owner = taken
        del wanted[name]
        problems.append(f"{key} for {name} is taken by {owner}")
    problem = f"{FILE_NAME}: {'; '.join(problems)}. There the program's own keys are used." if problems else ""
    return OwnKeys({name: ",".join(keys) for name, keys in (wanted | _beside(wanted, own)).items()}, problem)


def _flat(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _below(parent: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


def _keys(texts: list[str]) -> tuple[str, ...]:
    """Keys as the library names them: `?` is `question_mark`."""
    named = ["comma" if text == "," else text if len(text) == 1 else text.lower() for text in texts]
    return tuple(next(iter(Binding.make_bindings([Binding(name, "")]))).key for name in named if name.strip(" ,"))


@cache
def _names() -> set[str]:
    """Keys without modifiers that a terminal can send."""
    letters = [character for character in string.printable if character.isprintable() and character != " "]
    return {key.value for key in Keys} | set(_keys(letters))


def _is_key(key: str) -> bool:
    *modifiers, base = key.split("+")
    return key in _names() or (base in _names() and set(modifiers) <= MODIFIERS)


def _are_together(one: str, other: str) -> bool:
    first, second = one.partition(".")[0], other.partition(".")[0]
    return (
        first == second
        or bool({first, second} & EVERYWHERE)
        or any({first, second} <= together for together in TOGETHER)
    )


def _taken(wanted: dict[str, tuple[str, ...]], own: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """Bindings with a wanted key that another on the same screen has; those that shared one before may go on to."""
    for name, keys in wanted.items():
        for other, others in (own | wanted).items():
            if other == name or not _are_together(name, other) or set(own[name]) & set(own[other]):
                continue
            for key in set(keys) & set(others):
                yield name, key, other


def _beside(wanted: dict[str, tuple[str, ...]], own: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Bindings that share a key with one that gets another: Textual 8.2.8 would take the key from them, too."""
    return {
        other: keys
        for other, keys in own.items()
        if other not in wanted and any(set(own[name]) & set(keys) and _are_together(name, other) for name in wanted)
    }
