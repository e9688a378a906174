"""The official files of CIFAR-10 and CIFAR-100, python and binary (https://www.cs.toronto.edu/~kriz/cifar.html)."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifartui.dataset.batch_pickle import ByteArray, read_batch
from cifartui.dataset.entry import MAX_BATCH_BYTES, Entry
from cifartui.dataset.store import LabelledImages, Split
from cifartui.errors import DataError
from cifartui.text import printable

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 3 * 32 * 32
"""Bytes of an image: 1,024 red, 1,024 green, 1,024 blue, row by row."""
BATCHES = 5
FINE_CLASSES = 100
"""CIFAR-100's; its twenty coarse ones are not used."""
_BATCH_NAME = re.compile(r"(?:data_batch_([1-5])|(test)_batch)(\.bin)?")
_FINE_NAME = re.compile(r"(train|test)(\.bin)?")
_NAMES_FILES = ("meta", "fine_label_names.txt")
_PICKLES_BEGIN = (b"\x80", b"(")
"""With the number of their protocol, or in the oldest ones with a dictionary."""


class OfficialFiles:
    """Collects the batches of one of the two data sets in one of the two formats."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._batches: dict[tuple[Split, int], LabelledImages] = {}
        self._fine: dict[Split, LabelledImages] = {}
        self._fine_names: tuple[str, bytes, str] | None = None
        """File name, content and place of CIFAR-100's list of class names."""

    @staticmethod
    def owns(entry: Entry) -> bool:
        """Whether a file has the name of a batch, or of the list of class names, and may be one."""
        name = entry.path.name
        if _BATCH_NAME.fullmatch(name) or name == "fine_label_names.txt":
            return True
        if not (_FINE_NAME.fullmatch(name) or name == "meta"):
            return False
        return name.endswith(".bin") or entry.head(1) in _PICKLES_BEGIN  # anybody may call a file `train` or `meta`

    @property
    def images(self) -> int:
        """How many images were taken in so far."""
        return sum(len(batch.labels) for batch in (*self._batches.values(), *self._fine.values()))

    def add(self, entry: Entry) -> None:
        """Take in a batch file.

        Raises:
            DataError: it is damaged, holds what no batch holds, or comes twice.
        """
        where = entry.where
        twice = DataError(f"{where} comes twice, perhaps once in each format; keep one of them.")
        name = entry.path.name
        if name in _NAMES_FILES:
            self._fine_names = (name, entry.read(MAX_BATCH_BYTES), where)
        elif fine := _FINE_NAME.fullmatch(name):
            split: Split = "train" if fine[1] == "train" else "test"
            if split in self._fine:
                raise twice
            read = read_binary if fine[2] else read_pickled
            self._fine[split] = read(entry.read(MAX_BATCH_BYTES), where, FINE_CLASSES)
        elif batch := _BATCH_NAME.fullmatch(name):
            key: tuple[Split, int] = ("test", 1) if batch[2] else ("train", int(batch[1]))
            if key in self._batches:
                raise twice
            read = read_binary if batch[3] else read_pickled
            self._batches[key] = read(entry.read(MAX_BATCH_BYTES), where, len(CLASSES))

    def splits(self) -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
        """Training images, test images and the class names.

        Raises:
            DataError: a batch is missing, or there are those of two data sets.
        """
        if self._fine:
            return self._fine_splits()
        for number in range(1, BATCHES + 1):
            if ("train", number) not in self._batches:
                raise DataError(f"{self._shown} has no data_batch_{number}; get the whole of CIFAR-10 again.")
        if ("test", 1) not in self._batches:
            raise DataError(f"{self._shown} has no test_batch; get the whole of CIFAR-10 again.")
        images = sum(len(self._batches["train", number].labels) for number in range(1, BATCHES + 1))
        joined = LabelledImages(np.empty((images, 3, 32, 32), dtype=np.uint8), np.empty(images, dtype=np.int64))
        start = 0
        for number in range(1, BATCHES + 1):
            batch = self._batches.pop(("train", number))  # so that it need not lie in memory twice
            joined.images[start : start + len(batch.labels)] = batch.images
            joined.labels[start : start + len(batch.labels)] = batch.labels
            start += len(batch.labels)
        return joined, self._batches["test", 1], CLASSES

    def _fine_splits(self) -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
        if self._batches:
            raise DataError(f"{self._shown} holds CIFAR-10 and CIFAR-100; import one of them at a time.")
        for split in ("train", "test"):
            if split not in self._fine:
                raise DataError(f"{self._shown} has no file {split!r}; get the whole of CIFAR-100 again.")
        if self._fine_names is None:
            raise DataError(f"{self._shown} has no list of class names (meta); get the whole of CIFAR-100 again.")
        return self._fine["train"], self._fine["test"], _read_names(*self._fine_names)


def read_binary(data: bytes, where: str, classes: int) -> LabelledImages:
    """Parse a batch of the binary format: for each image its label, one byte, and 3,072 bytes of pixels.

    CIFAR-100 has two bytes of labels, of which the second is the fine one.

    Raises:
        DataError: the length or a label is not possible.
    """
    label_bytes = 1 if classes == len(CLASSES) else 2
    rows, rest = divmod(len(data), PIXELS + label_bytes)
    if rest or not rows:
        raise DataError(f"{where} has {len(data):,} bytes, which is no number of whole images; get it again.")
    table = np.frombuffer(data, dtype=np.uint8).reshape(rows, PIXELS + label_bytes)
    return _batch(table[:, label_bytes:], table[:, label_bytes - 1].astype(np.int64), where, classes)


def read_pickled(data: bytes, where: str, classes: int) -> LabelledImages:
    """Parse a batch of the python format without running anything that is in it.

    Raises:
        DataError: it is no pickle of plain arrays, or not that of a batch.
    """
    content = read_batch(data, where)
    pixels = _field(content, "data")
    labels = _field(content, "labels" if classes == len(CLASSES) else "fine_labels")
    rows = pixels.pixels() if isinstance(pixels, ByteArray) else np.empty(0, dtype=np.uint8)
    if rows.ndim != 2 or rows.shape[1] != PIXELS:
        raise DataError(f"{where} holds no rows of {PIXELS:,} pixels; get it again.")
    if not isinstance(labels, list) or not all(type(label) is int and abs(label) < 2**31 for label in labels):
        raise DataError(f"{where} holds no list of labels; get it again.")
    return _batch(rows, np.array(labels, dtype=np.int64), where, classes)


def _read_names(file: str, data: bytes, where: str) -> tuple[str, ...]:
    found = data.split() if file.endswith(".txt") else _field(read_batch(data, where), "fine_label_names")
    names = [name.decode(errors="replace") if isinstance(name, bytes) else name for name in found or ()]
    if len(set(names)) != FINE_CLASSES or not all(isinstance(name, str) and name for name in names):
        raise DataError(f"{where} holds no list of {FINE_CLASSES} class names; get it again.")
    return tuple(printable(name, 80) for name in names)


def _field(content: dict[Any, Any], name: str) -> Any:
    return content.get(name.encode(), content.get(name))


def _batch(pixels: NDArray[np.uint8], labels: NDArray[np.int64], where: str, classes: int) -> LabelledImages:
    if len(labels) != len(pixels):
        raise DataError(f"{where} has {len(labels):,} labels for {len(pixels):,} images; get it again.")
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(f"{where} has labels outside 0 to {classes - 1}; get it again.")
    return LabelledImages(np.ascontiguousarray(pixels).reshape(-1, 3, 32, 32), labels)
