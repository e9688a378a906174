"""The keys of all screens: each means the same everywhere, has an id and a sentence, and can be another."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import cifartui.tui
from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import StateChanged
from cifartui.tui.app import CifarApp
from cifartui.tui.keymap import OwnKeys, keys_file, own_keys
from cifartui.tui.screens.model import ModelScreen
from cifartui.tui.widgets.dialogs.base import Dialog
from tests.tui.driving import SMALL, scripted_run, wait_for_notice, wait_for_text

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


def test_no_class_hides_a_key_of_those_it_is_made_from() -> None:
    """Of the bindings with one key the library sees only those of the last class, also when it has no use for them."""
    for owner in {owner for owner, _ in all_bindings()}:
        keys: dict[str, type] = {}
        for ancestor in owner.__mro__:
            if ancestor.__module__.startswith("cifartui."):
                for binding in ancestor.__dict__.get("BINDINGS", ()):
                    for key in binding.key.split(","):
                        assert keys.setdefault(key, ancestor) is ancestor, (owner, key)


# THE USER'S OWN KEYS


def own(content: str) -> OwnKeys:
    """What a file of keys comes to."""
    keys_file().parent.mkdir(exist_ok=True)
    keys_file().write_text(content)
    return own_keys()


def test_own_keys_are_read_by_id() -> None:
    """One or several for a binding; two that exchange theirs; one of another screen; without a file there are none."""
    assert own_keys() == OwnKeys({})
    keys, problem = own(
        'help = "F1"\n[dataset]\nexport = ["E", "ctrl+e"]\n[evaluation]\nexport = "x"\npin = "p"\n[picture]\nnext = ","'
    )
    assert problem == ""
    assert keys["dataset.export"] == "E,ctrl+e"
    assert keys["evaluation.export"] == "x"
    assert keys["evaluation.pin"] == "p"
    assert keys["picture.next"] == "comma"
    assert keys["help"] == "f1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[dataset]\nexprt = 'E'", "dataset.exprt is no key's id (dataset.export?)"),
        ("[training]\npause = 'h'", "h for training.pause is taken by training.machine"),
        ("[training]\ncurve = 'o'", "o for training.curve is taken by training.runs"),
        ("[settings]\nfirst = 'r'", "r for settings.first is taken by training.recipe"),
        ("[model]\nadd = '1'", "1 for model.add is taken by show.dataset"),
        ("[model]\nadd = 'Z'\nundo = 'Z'", "Z for model.add is taken by model.undo"),
        ("[model]\nadd = 'abacus'", "abacus for model.add is no key"),
        ("[model]\nadd = 3", "3 for model.add is no key"),
        ("[model]\nadd = []", "[] for model.add is no key"),
        ("[model]\nadd = ''", " for model.add is no key"),
        ('"\\u001b]52;" = "x"', "�]52; is no key's id"),
    ],
)
def test_own_keys_that_make_no_sense_are_named(content: str, said: str) -> None:
    """The binding keeps the program's own key; what else stands in the file is taken."""
    keys, problem = own(f"{content}\n[runs]\nsort = 'O'")
    assert said in problem
    assert problem.startswith("keys.toml: ")
    assert keys.get("runs.sort") == "O"


@pytest.mark.parametrize("content", ["[", "\x00", "=" * 2_000_000])
def test_a_file_that_cannot_be_read_changes_no_key(content: str) -> None:
    """One sentence says why."""
    keys, problem = own(content)
    assert keys == {}
    assert problem.startswith("The program's own keys are used: ")


async def test_own_keys_work_and_stand_on_the_line_and_in_the_list(sketches: DatasetFacts) -> None:
    """The old one does nothing; one of two that share a key gets another, and the other keeps it."""
    keys_file().write_text('help = "f1"\n[model]\nadd = "J"\n[training]\npause = "P"\n[nothing]\nhere = "x"')
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_notice(pilot, "nothing.here is no key's id")
            text = await wait_for_text(pilot, "P pause  k checkpoint")
            assert "f1 explain  q leave" in text
            journal.append(StateChanged(state="paused"))
            await wait_for_text(pilot, "space go on")
            await pilot.press("2", "down")
            await wait_for_text(pilot, "J add")
            await pilot.press("a")
            assert isinstance(pilot.app.screen, ModelScreen)
            await pilot.press("f1", "tab")
            await wait_for_text(pilot, "J            Add a layer below")
