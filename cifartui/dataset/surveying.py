"""Looking at what an import would bring, without storing anything."""

import random
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cifartui.dataset.store import LeftOut, PictureSize
from cifartui.progress import LongWork

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cifartui.dataset.class_folders import ClassFolders
    from cifartui.dataset.decoding import Fit, Size
    from cifartui.dataset.entry import Entry
    from cifartui.dataset.official import OfficialFiles

MAX_PREVIEW_SIDE = 256
"""Pixels; previews of larger pictures are scaled down."""
CHOICE_SEED = 0
"""The same source gives the same previews."""


class SurveyedClass(msgspec.Struct, frozen=True):
    """A class and how many pictures of it each split would have."""

    name: str
    train: int
    validation: int
    test: int


class Preview(msgspec.Struct, frozen=True):
    """A picture as it would come in."""

    label: int
    """Index into the classes."""
    height: int
    width: int
    pixels: bytes
    """RGB, `height × width × 3`; base64 in JSON."""


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would bring."""

    images: int
    classes: tuple[SurveyedClass, ...]
    sizes: tuple[PictureSize, ...]
    """Commonest first, at most `MAX_SIZES`."""
    left_out: tuple[LeftOut, ...]
    official: bool
    """CIFAR's own files, of which no size is asked."""
    previews: tuple[Preview, ...] = ()
    """None while the sizes differ and none is chosen."""


def survey_dataset(path: Path, size: "Size | None" = None, fit: "Fit" = "crop", previews: int = 0) -> LongWork[Survey]:
    """Go through `path` as an import does, reading of each picture only how large it is; yields progress in images.

    Raises:
        DataError: what is there cannot be used; the sentence names the file.
        OSError: it cannot be read.
    """
    import numpy as np

    from cifartui.dataset.archive import entries
    from cifartui.dataset.class_folders import ClassFolders
    from cifartui.dataset.importing import read_entries, source_name
    from cifartui.dataset.official import OfficialFiles

    shown = source_name(path)
    official = OfficialFiles(shown)
    chosen = _ChosenPictures(size, fit, previews)
    with closing(ClassFolders(shown, size, fit, sizes_only=True)) as folders:
        yield from read_entries(entries(path), official, folders, chosen.consider)
    if official.images:
        return _survey_of_official(official, folders, previews)
    labelled = folders.label()
    none = [0] * len(labelled.classes)
    counts = {split: np.bincount(labels, minlength=len(none)).tolist() for split, labels in labelled.labels.items()}
    return Survey(
        images=folders.images,
        classes=tuple(
            map(SurveyedClass, labelled.classes, counts["train"], counts.get("validation", none), counts["test"])
        ),
        sizes=folders.sizes,
        left_out=folders.left_out,
        official=False,
        previews=chosen.previews(labelled.class_of) if size or len(folders.sizes) == 1 else (),
    )


class _ChosenPictures:
    """Some pictures, each with the same chance, chosen while their number is not known (reservoir sampling)."""

    def __init__(self, size: "Size | None", fit: "Fit", wanted: int) -> None:
        self._size = size
        self._fit = fit
        self._wanted = wanted
        self._random = random.Random(CHOICE_SEED)
        self._seen = 0
        self._chosen: list[tuple[tuple[str, ...], Preview]] = []

    def consider(self, entry: "Entry") -> None:
        """Choose this picture, perhaps in place of another."""
        place = self._seen if self._seen < self._wanted else self._random.randrange(self._seen + 1)
        self._seen += 1
        if place < self._wanted:
            self._chosen[place : place + 1] = [(entry.path.parts[:-1], self._preview(entry))]

    def previews(self, class_of: "dict[tuple[str, ...], int]") -> tuple[Preview, ...]:
        """The chosen pictures by class."""
        labelled = [msgspec.structs.replace(preview, label=class_of[folder]) for folder, preview in self._chosen]
        return tuple(sorted(labelled, key=lambda preview: preview.label))

    def _preview(self, entry: "Entry") -> Preview:
        from cifartui.dataset.decoding import read_picture

        return preview_of(read_picture(entry.read(), entry.where, self._size, self._fit))


def preview_of(pixels: "NDArray[np.uint8]", label: int = 0) -> Preview:
    """A preview of `[H, W, 3]`, scaled down if a side is longer than `MAX_PREVIEW_SIDE`."""
    import numpy as np
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((MAX_PREVIEW_SIDE, MAX_PREVIEW_SIDE))
    return Preview(label, image.height, image.width, np.asarray(image).tobytes())


def _survey_of_official(official: "OfficialFiles", folders: "ClassFolders", previews: int) -> Survey:
    import numpy as np

    train, test, classes = official.splits()
    counts = [np.bincount(split.labels, minlength=len(classes)).tolist() for split in (train, test)]
    first = sorted(range(min(previews, len(train.labels))), key=lambda position: int(train.labels[position]))
    return Survey(
        images=len(train.labels) + len(test.labels),
        classes=tuple(map(SurveyedClass, classes, counts[0], [0] * len(classes), counts[1])),
        sizes=(PictureSize(train.images.shape[3], train.images.shape[2], len(train.labels) + len(test.labels)),),
        left_out=folders.left_out,
        official=True,
        previews=tuple(
            preview_of(train.images[position].transpose(1, 2, 0), int(train.labels[position])) for position in first
        ),
    )
