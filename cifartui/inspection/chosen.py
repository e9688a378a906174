"""The pictures that a network is looked at with: out of a data set, or the user's own; without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cifartui.dataset.pictures import read_pictures
from cifartui.dataset.store import Split, load_facts
from cifartui.errors import DataError, UsageError
from cifartui.inspection.activation_file import PictureFacts
from cifartui.model.network import Network
from cifartui.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPLIT_NAMES: dict[Split, str] = {"train": "training", "test": "test"}


class ChosenPictures(NamedTuple):
    """Pictures of one size, and which they are."""

    pixels: "NDArray[np.uint8]"
    """`[N, H, W, 3]`, RGB."""
    facts: tuple[PictureFacts, ...]
    classes: tuple[str, ...]
    """Names of the classes; empty where they are not known."""


def from_dataset(name: str, split: Split, positions: Sequence[int]) -> ChosenPictures:
    """The pictures at `positions` of a prepared data set.

    Raises:
        DataError: there is no such data set or picture, or its file is damaged.
    """
    import numpy as np

    facts = load_facts(name)
    count = facts.train if split == "train" else facts.test
    for position in positions:
        if not 0 <= position < count:
            raise DataError(
                f"{name} has no {SPLIT_NAMES[split]} picture {position}; choose one from 0 to {count - 1:,}."
            )
    pictures = read_pictures(name, split, list(positions))
    return ChosenPictures(
        pixels=np.stack([picture.pixels for picture in pictures]),
        facts=tuple(
            PictureFacts(f"{facts.classes[picture.label]} #{picture.position}", picture.label, picture.position)
            for picture in pictures
        ),
        classes=facts.classes,
    )


def from_files(paths: Sequence[Path], network: Network) -> ChosenPictures:
    """Pictures of the user's own, made as large as the network's input.

    Raises:
        UsageError: the network's input is larger than any picture that is read.
        DataError: a file is not there, or is no image, too large or damaged.
        OSError: a file cannot be read.
    """
    import numpy as np

    from cifartui.dataset.decoding import MAX_OWN_SIDE, read_own_picture

    _, height, width = network.input
    if max(height, width) > MAX_OWN_SIDE:
        raise UsageError(
            f"Network {network.name} takes pictures of {height:,} × {width:,}; "
            f"choose one whose input has sides of at most {MAX_OWN_SIDE:,}."
        )
    return ChosenPictures(
        pixels=np.stack([read_own_picture(path, height, width) for path in paths]),
        facts=tuple(PictureFacts(printable(path.name, 80)) for path in paths),
        classes=(),
    )
