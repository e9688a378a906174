"""The groups in which settings stand on the screen: one for each table of a recipe, in an order for people."""

from collections.abc import Iterable

NETWORK, TRAINING, LOSS, DEVICE, RUN = "network", "training", "loss", "device", "run"
"""Titles of what stands in no table; those of tables are the tables' names."""
TABLELESS = {
    "network": NETWORK,
    "initialization": NETWORK,
    "loss": LOSS,
    "label_smoothing": LOSS,
    "precision": DEVICE,
    "channels_last": DEVICE,
    "images_at_once": DEVICE,
    "device": DEVICE,
    "seed": RUN,
}
"""Any other is about the training as a whole."""
FIRST = (NETWORK, TRAINING, LOSS, "optimizer", "schedule")
LAST = ("loader", "normalize", "augment", "mixing", "validation", "checkpoints", DEVICE, RUN)
"""Tables that are named nowhere here stand between the two, in the recipe's order."""


def group_of(key: str) -> str:
    """The title of the group that a setting stands in."""
    table, dot, _ = key.partition(".")
    return table if dot else TABLELESS.get(key, TRAINING)


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
