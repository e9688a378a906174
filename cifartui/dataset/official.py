"""The official CIFAR-10 files, in their python and binary formats (https://www.cs.toronto.edu/~kriz/cifar.html)."""

import io
import pickle
import re
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifartui.dataset.archive import Entry
from cifartui.dataset.store import LabelledImages, Split
from cifartui.errors import DataError
from cifartui.text import printable

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 3 * 32 * 32
"""Bytes of an image: 1,024 red, 1,024 green, 1,024 blue, row by row."""
BATCHES = 5
_BATCH_NAME = re.compile(r"(?:data_batch_([1-5])|(test)_batch)(\.bin)?")
_ADMITTED = {
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class OfficialFiles:
    """Collects the batches of one of the two formats."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._batches: dict[tuple[Split, int], LabelledImages] = {}

    @staticmethod
    def owns(path: PurePosixPath) -> bool:
        """Whether a file's name is that of a batch."""
        return _BATCH_NAME.fullmatch(path.name) is not None

    @property
    def images(self) -> int:
        """How many images were taken in so far."""
        return sum(len(batch.labels) for batch in self._batches.values())

    def add(self, entry: Entry) -> None:
        """Take in a batch file.

        Raises:
            DataError: it is damaged, holds what no batch holds, or comes twice.
        """
        match = _BATCH_NAME.fullmatch(entry.path.name)
        assert match
        key: tuple[Split, int] = ("test", 1) if match[2] else ("train", int(match[1]))
        where = f"{self._shown}: {printable(str(entry.path), 200)}"
        if key in self._batches:
            raise DataError(f"{where} comes twice, perhaps once in each format; keep one of them.")
        self._batches[key] = read_binary(entry.read(), where) if match[3] else read_pickled(entry.read(), where)

    def splits(self) -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
        """Training images, test images and the class names.

        Raises:
            DataError: a batch is missing.
        """
        for number in range(1, BATCHES + 1):
            if ("train", number) not in self._batches:
                raise DataError(f"{self._shown} has no data_batch_{number}; get the whole of CIFAR-10 again.")
        if ("test", 1) not in self._batches:
            raise DataError(f"{self._shown} has no test_batch; get the whole of CIFAR-10 again.")
        train = [self._batches["train", number] for number in range(1, BATCHES + 1)]
        joined = LabelledImages(
            np.concatenate([batch.images for batch in train]), np.concatenate([batch.labels for batch in train])
        )
        return joined, self._batches["test", 1], CLASSES


def read_binary(data: bytes, where: str) -> LabelledImages:
    """Parse a batch of the binary format: for each image one byte of label and 3,072 of pixels.

    Raises:
        DataError: the length or a label is not possible.
    """
    rows, rest = divmod(len(data), PIXELS + 1)
    if rest or not rows:
        raise DataError(f"{where} has {len(data):,} bytes, which is no number of whole images; get it again.")
    table = np.frombuffer(data, dtype=np.uint8).reshape(rows, PIXELS + 1)
    return _batch(table[:, 1:], table[:, 0].astype(np.int64), where)


def read_pickled(data: bytes, where: str) -> LabelledImages:
    """Parse a batch of the python format without running anything that is in it.

    Raises:
        DataError: it is no pickle of plain arrays, or not that of a batch.
    """
    try:
        content = ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except DataError as error:
        raise DataError(f"{where} {error}") from error
    except Exception as error:  # a hostile pickle can raise anything
        raise DataError(f"{where} is damaged or no batch of CIFAR-10; get it again.") from error
    if not isinstance(content, dict):
        raise DataError(f"{where} holds no batch of CIFAR-10; get it again.")
    pixels, labels = _field(content, "data"), _field(content, "labels")
    plain_pixels = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2
    if not plain_pixels or pixels.shape[1] != PIXELS or not len(pixels):
        raise DataError(f"{where} holds no rows of {PIXELS:,} pixels; get it again.")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DataError(f"{where} holds no list of labels; get it again.")
    return _batch(pixels, np.array(labels, dtype=np.int64), where)


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that admits what numpy arrays are made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise DataError(f"wants to run {printable(f'{module}.{name}', 80)}, which no batch needs; do not trust it.")
        return super().find_class(module, name)


def _field(content: dict[Any, Any], name: str) -> Any:
    return content.get(name.encode(), content.get(name))


def _batch(pixels: NDArray[np.uint8], labels: NDArray[np.int64], where: str) -> LabelledImages:
    if len(labels) != len(pixels):
        raise DataError(f"{where} has {len(labels):,} labels for {len(pixels):,} images; get it again.")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DataError(f"{where} has labels outside 0 to {len(CLASSES) - 1}; get it again.")
    return LabelledImages(np.ascontiguousarray(pixels).reshape(-1, 3, 32, 32), labels)
