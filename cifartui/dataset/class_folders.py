"""Images in class folders: `train/<class>/<image>` and `test/<class>/<image>`, or `<class>/<image>` without a split."""

import random
from collections.abc import Mapping

import numpy as np

from cifartui.dataset.archive import Entry
from cifartui.dataset.decoding import by, open_image
from cifartui.dataset.store import LabelledImages, Split
from cifartui.errors import DataError
from cifartui.text import printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm")
SPLITS: Mapping[str, Split] = {"train": "train", "test": "test"}
MAX_SIDE = 1_024
"""Pixels; refused before anything is decoded."""
MAX_TOTAL_BYTES = 1024**3
TEST_SHARE = 5
"""Without a split, one image in five of each class becomes a test image, as the tutorial advises (80 % / 20 %)."""
SPLIT_SEED = 0


class ClassFolders:
    """Collects the images of class folders, one entry at a time."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        """The source's name, fit to be shown."""
        self._pixels: dict[tuple[Split | None, str], list[bytes]] = {}
        self._size: tuple[int, int] | None = None
        self._first = ""
        """The image that set the size."""
        self._total_bytes = 0

    @property
    def images(self) -> int:
        """How many images were taken in so far."""
        return sum(len(images) for images in self._pixels.values())

    def add(self, entry: Entry) -> None:
        """Take in an image or a class folder; anything else is passed over.

        Raises:
            DataError: the image cannot be decoded, is too large, or differs in size from those before it.
        """
        parts = entry.path.parts
        if any(part.startswith(".") for part in parts) or "__MACOSX" in parts:
            return
        folders = parts if entry.is_folder else parts[:-1]
        place = _place(folders)
        if entry.is_folder:
            if place and place[0]:  # an empty class is told from a folder above the classes only beside a split
                self._pixels.setdefault(place, [])
        elif entry.path.suffix.lower() in SUFFIXES:
            if place is None:
                raise DataError(
                    f"{self._shown}: {printable(str(entry.path))} lies in no class folder; "
                    "put images in train/<class>/ and test/<class>/."
                )
            self._pixels.setdefault(place, []).append(self._decode(entry))

    def splits(self) -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
        """Training images, test images and the class names, sorted.

        Raises:
            DataError: there are no images, a split or class is empty, or the folders are mixed.
        """
        if not self.images:
            raise DataError(
                f"{self._shown} holds no images in class folders; put them in train/<class>/ and test/<class>/ "
                f"as {', '.join(SUFFIXES[:3])} …"
            )
        splits = {split for split, _ in self._pixels}
        if None in splits and len(splits) > 1:
            stray = next(name for split, name in self._pixels if split is None)
            raise DataError(
                f"{self._shown} has the folder {printable(stray, 80)!r} beside train/ and test/; move or remove it."
            )
        if None in splits:
            return self._split_each_class()
        for split in SPLITS.values():
            if split not in splits:
                raise DataError(
                    f"{self._shown} has no {split}/ folder; add one, or leave both out to have it split 80/20."
                )
        names = sorted({name for _, name in self._pixels})
        for split in SPLITS.values():
            for name in names:
                if not self._pixels.get((split, name)):
                    raise DataError(
                        f"{self._shown} has no image of class {printable(name, 80)!r} in {split}/; add some."
                    )
        train = [self._pixels["train", name] for name in names]
        test = [self._pixels["test", name] for name in names]
        return self._stack(train), self._stack(test), _class_names(names)

    def _split_each_class(self) -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
        names = sorted(name for _, name in self._pixels)
        train, test = [], []
        for name in names:
            images = list(self._pixels[None, name])
            if len(images) < 2:
                raise DataError(
                    f"{self._shown}: class {printable(name, 80)!r} has one image; a split needs at least two."
                )
            random.Random(SPLIT_SEED).shuffle(images)
            tests = max(1, len(images) // TEST_SHARE)
            test.append(images[:tests])
            train.append(images[tests:])
        return self._stack(train), self._stack(test), _class_names(names)

    def _decode(self, entry: Entry) -> bytes:
        name = printable(str(entry.path), 200)
        with open_image(entry.read(), f"{self._shown}: {name}", MAX_SIDE) as image:
            self._check_size(image.size, name)
            pixels = np.asarray(image.convert("RGB"))
        self._total_bytes += pixels.nbytes
        if self._total_bytes > MAX_TOTAL_BYTES:
            raise DataError(f"{self._shown} holds more than 1 GiB of pixels; use smaller or fewer images.")
        return pixels.transpose(2, 0, 1).tobytes()

    def _check_size(self, size: tuple[int, int], name: str) -> None:
        if self._size is None:
            self._size, self._first = size, name
        if size != self._size:
            raise DataError(
                f"{self._shown}: {name} is {by(size)} pixels and {self._first} is {by(self._size)}; "
                "make all images one size."
            )

    def _stack(self, of_classes: list[list[bytes]]) -> LabelledImages:
        assert self._size
        width, height = self._size
        labels = np.repeat(np.arange(len(of_classes)), [len(images) for images in of_classes])
        pixels = np.frombuffer(b"".join(image for images in of_classes for image in images), dtype=np.uint8)
        return LabelledImages(pixels.reshape(-1, 3, height, width), labels.astype(np.int64))


def _place(folders: tuple[str, ...]) -> tuple[Split | None, str] | None:
    """Split and class of the files in these folders: the class is the last, its split the folder just above."""
    if not folders:
        return None
    name = folders[-1]
    if name in SPLITS:
        return None
    above = folders[-2] if len(folders) > 1 else ""
    return SPLITS.get(above), name


def _class_names(folders: list[str]) -> tuple[str, ...]:
    return tuple(printable(name, 40) for name in folders)
