"""The groups in which settings stand on the screen: one for each table of a recipe, in an order for people."""

from collections.abc import Iterable

from cifartui.tui.in_hand import OUTSIDE_RECIPE

TRAINING, RUN = "training", "run"
"""Of what stands in no table of a recipe, and of what is no part of a recipe."""
FIRST = (TRAINING, "optimizer", "schedule")
LAST = ("loader", "normalize", "augment", "validation", "checkpoints", RUN)
"""Tables that are named nowhere here stand between the two, in the recipe's order."""


def group_of(key: str) -> str:
    """The title of the group that a setting stands in."""
    table, dot, _ = key.partition(".")
    if dot:
        return table
    return RUN if key in OUTSIDE_RECIPE else TRAINING


def label_of(key: str) -> str:
    """The name of a setting within its group."""
    return key.partition(".")[2] or key


def in_groups(keys: Iterable[str]) -> list[str]:
    """Keys of settings with those of a group together, the groups in their order."""
    ordered = list(keys)
    titles = list(dict.fromkeys(map(group_of, ordered)))
    others = [title for title in titles if title not in (*FIRST, *LAST)]
    places = {title: place for place, title in enumerate((*FIRST, *others, *LAST))}
    return sorted(ordered, key=lambda key: places[group_of(key)])
