"""The keys of all screens: each means the same everywhere, and has an id and a sentence."""

import importlib
import pkgutil
from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode

import cifartui.tui
from cifartui.tui.widgets.dialogs.base import Dialog

MEANINGS = {
    "a": "add new",  # one more of what the screen is about
    "A": "fork",  # one more that goes on from a checkpoint
    "b": "rollback go_back",  # back to a checkpoint
    "c": "drawing histogram confusion curve filters quantity augment channel compare",  # another view of what is shown
    "d": "dataset",
    "e": "evaluation",
    "f": "fetch",
    "g": "continue again",  # go on, go once more
    "h": "machine verify",  # health: is all as it should be
    "i": "import image file",  # in from a file of the user's own
    "k": "save save_recipe checkpoint pin",  # keep
    "l": "lab find_rate maps",  # look into it, measure
    "L": "log",  # logarithms
    "m": "model",
    "n": "next",
    "N": "previous",
    "o": "open networks runs weights",  # open another
    "p": "export source",  # put out, as a file or as code
    "q": "leave",
    "r": "recipe",
    "s": "split sort axis layer",  # switch to the next part or order
    "S": "reverse",
    "t": "training",
    "u": "undo unset",
    "U": "redo",
    "v": "change input rename epochs",  # another value
    "w": "walk",
    "x": "cancel stop",  # end what is under way
    "y": "repair use_remedy accumulate use",  # yes: do what is proposed
    "z": "zoom scale",  # another size
    "Z": "wall",  # all the room
    "slash": "filter class",  # only some of them
    "delete": "remove",
    "space": "play pause resume mark more turn",  # hold and go on, mark and take the mark away
    "question_mark": "help",
}
"""What the last part of a binding's id may be, for each key that is neither enter nor one that moves or goes back."""
BACK = {"close", "back"}
"""What closes a screen, by escape, q, and the key that opened it."""


def classes_below(parent: type) -> Iterator[type]:
    """All classes that are made from one."""
    for child in parent.__subclasses__():
        yield child
        yield from classes_below(child)


def all_bindings() -> list[tuple[type, Binding]]:
    """Every binding of the program's own, with the class that has it."""
    for module in pkgutil.walk_packages(cifartui.tui.__path__, "cifartui.tui."):
        importlib.import_module(module.name)
    owners = {owner for owner in classes_below(DOMNode) if owner.__module__.startswith("cifartui.")}
    return [(owner, binding) for owner in owners for binding in owner.__dict__.get("BINDINGS", ())]


def test_a_key_means_the_same_on_every_screen() -> None:
    """A letter has one meaning, and what it means has no other letter; dialogs, which ask for an answer, are apart."""
    meanings = [verb for verbs in MEANINGS.values() for verb in verbs.split()]
    assert len(meanings) == len(set(meanings))
    elsewhere = set()
    used = set()
    for owner, binding in all_bindings():
        if issubclass(owner, Dialog) or binding.system:
            continue
        verb = (binding.id or "").rpartition(".")[2]
        for key in binding.key.split(","):
            if verb in BACK or not ((len(key) == 1 and key.isalpha()) or key in MEANINGS):
                continue
            used.add((key, verb))
            if verb not in MEANINGS.get(key, "").split():
                elsewhere.add(f"{key} is {binding.id}")
    assert elsewhere == set()
    assert {(key, verb) for key, verbs in MEANINGS.items() for verb in verbs.split()} <= used


def test_every_key_has_an_id_and_a_sentence() -> None:
    """By the id it can be remapped; the sentence, more than the word on the line of keys, is what `?` shows."""
    for owner, binding in all_bindings():
        if binding.system:
            continue
        assert binding.id, (owner, binding)
        assert binding.description, binding
        if not issubclass(owner, Dialog):
            assert " " in binding.tooltip, binding
