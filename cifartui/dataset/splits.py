"""Which split and class the folders of a source mean; what could be meant in two ways is refused."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from cifartui.dataset.store import SPLITS, Split
from cifartui.errors import DataError
from cifartui.text import printable

Folder = tuple[str, ...]
"""The names of a folder and of those above it, from the source downwards."""

WORDS: Mapping[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
}
NEEDED: tuple[Split, ...] = ("train", "test")
_ADDED = "set|sets|data|dataset|image|images|img|imgs|picture|pictures|photo|photos|split|folder|files"
_DOUBTFUL = {
    *("holdout", "heldout", "hold", "held", "out", "unlabeled", "unlabelled", "pred", "predict", "prediction"),
    *("predictions", "eval", "evaluation", "trainval", "submission"),
}
_FILLERS = {*_ADDED.split("|"), *("seg", "my", "old", "new", "small", "large", "all", "full", "final", "the")}
_WORD = re.compile(rf"({'|'.join(WORDS)})(?:{_ADDED})?")
LAYOUT = "put images in train/<class>/ and test/<class>/"


class Place(NamedTuple):
    """What a folder of pictures is."""

    split: Split | None
    """None where the source has no splits."""
    name: str
    """Of the class: that of the folder."""


def split_meant(name: str) -> Split | None:
    """The split that a folder above class folders means: `Train`, `testing`, `seg_test`, `val`, `train-images` …"""
    tokens = _tokens(name)
    found = [(position, WORDS[word[1]]) for position, token in enumerate(tokens) if (word := _WORD.fullmatch(token))]
    if len(found) != 1 or not _DOUBTFUL.isdisjoint(tokens):
        return None
    position, split = found[0]
    return split if all(token in _ADDED.split("|") for token in tokens[position + 1 :]) else None


def looks_like_split(name: str) -> bool:
    """Whether a name has a word in it that is one of splits: `test2`, `holdout`, `seg_pred`, `train_small`."""
    tokens = _tokens(name)
    return any(_WORD.fullmatch(token) for token in tokens) or not _DOUBTFUL.isdisjoint(tokens)


def is_made_of_split_words(name: str) -> bool:
    """Whether a name has nothing else in it: `test2`, `holdout`, and not `train station`, `crash_test`."""
    tokens = _tokens(name)
    known = (_WORD.fullmatch(token) or token in _DOUBTFUL | _FILLERS or token.isdigit() for token in tokens)
    return looks_like_split(name) and all(known)


def arrange(pictures: Mapping[Folder, str], folders: Collection[Folder], shown: str) -> dict[Folder, Place]:
    """What each folder with pictures is; `pictures` names one of its pictures, `folders` are all folders there are.

    Raises:
        DataError: the folders could be meant in two ways, or are no class folders; the sentence names one.
    """
    above_others = _above(pictures)
    for folder, example in pictures.items():
        if not folder or folder in above_others:
            raise _in_no_class(shown, example)
    split_folders = {folder: _split_folder(folder) for folder in pictures}
    if not any(split_folders.values()):
        _check_without_splits(pictures, shown)
        return {folder: Place(None, folder[-1]) for folder in pictures}
    stray = next((folder for folder, above in split_folders.items() if not above), None)
    if stray:
        raise _stray(shown, stray, [above for above in split_folders.values() if above], pictures[stray])
    places = {folder: Place(split_meant(above[-1]), folder[-1]) for folder, above in split_folders.items()}
    _check_splits(pictures, split_folders, places, folders, shown)
    return places


def _tokens(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name.casefold())


def _split_folder(folder: Folder) -> Folder:
    """The innermost folder above a class folder that means a split; empty if there is none."""
    for depth in range(len(folder) - 1, 0, -1):
        if split_meant(folder[depth - 1]):
            return folder[:depth]
    return ()


def _check_without_splits(pictures: Mapping[Folder, str], shown: str) -> None:
    names = Counter(folder[-1] for folder in pictures)
    meant = {split_meant(name) for name in names} - {None}
    several = len({folder[:-1] for folder in pictures}) > 1
    for folder, example in pictures.items():
        name = folder[-1]
        a_class_all_the_same = name.casefold() == "train" and len(names) > 1  # a picture of one that runs on rails
        if len(meant) > 1 and split_meant(name):
            if len(folder) > 1 and names[name] > 1:
                raise DataError(
                    f"{shown} has {_path(folder)}/ within a class; put the classes within the splits: "
                    "train/<class>/ and test/<class>/."
                )
            raise _in_no_class(shown, example)
        if is_made_of_split_words(name) and not a_class_all_the_same:
            raise _not_understood(shown, name, f"holds pictures beside {len(names) - 1} class folders")
        if names[name] > 1 or (several and any(map(looks_like_split, folder[:-1]))):
            first, second = [other for other in pictures if other[-1] == name or names[name] == 1][:2]
            raise DataError(
                f"{shown} has classes in {_path(first[:-1])}/ and in {_path(second[:-1])}/, and neither says what it "
                "is for; name the folders train/ and test/ (val/ for held-out images), or bring one of them."
            )


def _check_splits(
    pictures: Mapping[Folder, str],
    split_folders: Mapping[Folder, Folder],
    places: Mapping[Folder, Place],
    folders: Collection[Folder],
    shown: str,
) -> None:
    found: dict[Split, Folder] = {}
    for folder, above in split_folders.items():
        split = split_meant(above[-1])
        assert split
        if found.setdefault(split, above) != above:
            raise DataError(
                f"{shown} has two folders for the {split} images, {_path(found[split])}/ and {_path(above)}/; "
                "keep one, or put them together."
            )
        doubtful = next((part for part in folder[len(above) : -1] if looks_like_split(part)), None)
        if doubtful:
            raise _not_understood(shown, doubtful, f"lies within {_path(above)}/")
    for split, above in found.items():
        inside = [folder for folder in pictures if split_folders[folder] == above]
        if len(inside) == 1 and split_meant(inside[0][-1]) == split:
            raise _in_no_class(shown, pictures[inside[0]])
    for needed in NEEDED:
        if needed not in found:
            raise _missing(shown, needed, found, folders)
    _check_classes(found, places, folders, shown)


def _check_classes(
    found: Mapping[Split, Folder],
    places: Mapping[Folder, Place],
    folders: Collection[Folder],
    shown: str,
) -> None:
    """Every class needs pictures to train on and to test on."""
    of_split: dict[Split, set[str]] = {split: set() for split in found}
    for place in places.values():
        assert place.split
        of_split[place.split].add(place.name)
    holding = _above(places) | set(places)
    empty = {folder[-1] for folder in folders if folder[:-1] in found.values() and folder not in holding}
    for split in NEEDED:
        for name in sorted(set().union(*of_split.values(), empty)):
            if name not in of_split[split]:
                raise DataError(
                    f"{shown} has no image of class {printable(name, 80)!r} in {_path(found[split])}/; "
                    "add some, or remove the class."
                )


def _above(folders: Collection[Folder]) -> set[Folder]:
    """All folders above one of these."""
    return {folder[:depth] for folder in folders for depth in range(len(folder))}


def _missing(shown: str, split: Split, found: Mapping[Split, Folder], folders: Collection[Folder]) -> DataError:
    there = next((folder for folder in folders if folder and split_meant(folder[-1]) == split), None)
    if there and there not in found.values():
        return DataError(f"{shown} has no images in {_path(there)}/; add some, or remove it.")
    if split == "test" and "validation" in found:
        name = _path(found["validation"])
        return DataError(f"{shown} has no test/ folder; rename {name}/ to test/, or add one.")
    return DataError(f"{shown} has no {split}/ folder; add one, or leave both out to have it split 80/20.")


def _stray(shown: str, folder: Folder, splits: list[Folder], example: str) -> DataError:
    if split_meant(folder[-1]) and len(folder) <= min(map(len, splits)):
        return _in_no_class(shown, example)
    beside = next((len(above) - 1 for above in splits if above[:-1] == folder[: len(above) - 1]), 0)
    name = folder[min(beside, len(folder) - 1)]
    named = " and ".join(f"{printable(above[-1], 80)}/" for above in sorted(set(splits), key=_order))
    if looks_like_split(name):
        return _not_understood(shown, name, f"lies beside {named}")
    return DataError(f"{shown} has the folder {printable(name, 80)!r} beside {named}; move or remove it.")


def _not_understood(shown: str, name: str, place: str) -> DataError:
    return DataError(
        f"{shown}: the folder {printable(name, 80)!r} {place}, looks like a split and is not understood; "
        "rename it train/, val/ or test/, or remove it."
    )


def _in_no_class(shown: str, example: str) -> DataError:
    return DataError(f"{shown}: {example} lies in no class folder; {LAYOUT}.")


def _order(folder: Folder) -> int:
    split = split_meant(folder[-1])
    return SPLITS.index(split) if split else len(SPLITS)


def _path(folder: Folder) -> str:
    return printable("/".join(folder) or ".", 80)
