"""Single pictures out of a prepared data set, without torch."""

from typing import TYPE_CHECKING, NamedTuple

from cifartui.dataset.store import Split, images_file, require_split
from cifartui.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHUFFLE_SEED = 0
"""Pictures of all classes are looked at in one fixed random order: files are often sorted by class."""


class Picture(NamedTuple):
    """One picture with its place and label."""

    position: int
    """Position in its split."""
    label: int
    pixels: "NDArray[np.uint8]"
    """`[H, W, 3]`, RGB."""


def picture_order(name: str, split: Split, label: int | None) -> list[int]:
    """Positions of the pictures of one class in file order, or of all classes in a fixed random order.

    Raises:
        DataError: there is no such data set, or its file is damaged.
    """
    import numpy as np

    labels = _read(name, split, "labels", None)
    if label is None:
        order = np.random.default_rng(SHUFFLE_SEED).permutation(len(labels))
    else:
        order = np.flatnonzero(labels == label)
    positions: list[int] = order.tolist()
    return positions


def read_pictures(name: str, split: Split, positions: list[int]) -> list[Picture]:
    """Read the pictures at `positions`, and nothing else of the file.

    Raises:
        DataError: there is no such data set, or its file is damaged.
    """
    labels = _read(name, split, "labels", None)
    images = _read(name, split, "images", positions)
    return [
        Picture(position, int(labels[position]), pixels.transpose(1, 2, 0))
        for position, pixels in zip(positions, images, strict=True)
    ]


def read_split(name: str, split: Split) -> tuple["NDArray[np.uint8]", "NDArray[np.int64]"]:
    """All pictures `[N, 3, H, W]` and labels `[N]` of a split.

    Raises:
        DataError: there is no such data set, or its file is damaged.
    """
    return _read(name, split, "images", None), _read(name, split, "labels", None)  # type: ignore[return-value]  # as stored


def _read(name: str, split: Split, what: str, positions: list[int] | None) -> "NDArray[np.generic]":
    import numpy as np
    from safetensors import SafetensorError, safe_open

    require_split(name, split)
    try:
        with safe_open(images_file(name), framework="numpy") as file:
            if positions is None:
                whole: NDArray[np.generic] = file.get_tensor(f"{split}.{what}")
                return whole
            rows = file.get_slice(f"{split}.{what}")
            return np.stack([rows[position] for position in positions]) if positions else np.empty((0,))
    except (OSError, SafetensorError, IndexError) as error:
        raise DataError(
            f"{images_file(name)} is damaged ({error}); remove it and import the data set again."
        ) from error
