"""CIFAR-100's files with the sizes that were published, pickled as Python 2 did it; the pixels are noise."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZES = {"train": 155_249_918, "test": 31_049_971, "train.bin": 153_700_000, "test.bin": 30_740_000}
"""Bytes of the published files."""
IMAGES = {"train": 50_000, "test": 10_000}
NAMES = [f"fine{number}" for number in range(100)]
_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85U\x01btR(K\x01"
_BYTES = b"\x86cnumpy\ndtype\n(U\x02u1K\0K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T"


def pixels_and_labels(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Rows of 3,072 bytes and their fine labels; the same ones every time."""
    generator = np.random.default_rng(IMAGES[split])
    rows = np.frombuffer(generator.bytes(IMAGES[split] * 3_072), dtype=np.uint8).reshape(-1, 3_072)
    return rows, generator.integers(0, 100, IMAGES[split], dtype=np.uint8)


def write_python(folder: Path) -> None:
    """`train`, `test` and `meta`."""
    folder.mkdir(parents=True)
    for split in IMAGES:
        (folder / split).write_bytes(_pickled(*pixels_and_labels(split), SIZES[split]))
    names = {b"fine_label_names": [name.encode() for name in NAMES], b"coarse_label_names": []}
    meta = b"}(" + b"".join(_short(key) + _list(map(_short, value)) for key, value in names.items()) + b"u"
    (folder / "meta").write_bytes(pickle.PROTO + b"\x02" + meta + pickle.STOP)


def write_binary(folder: Path) -> None:
    """`train.bin`, `test.bin` and the names."""
    folder.mkdir(parents=True)
    for split in IMAGES:
        rows, labels = pixels_and_labels(split)
        with (folder / f"{split}.bin").open("wb") as file:
            file.write(np.concatenate([labels[:, None] // 5, labels[:, None], rows], axis=1).data)
    (folder / "fine_label_names.txt").write_text("\n".join(NAMES) + "\n")


def _pickled(rows: NDArray[np.uint8], labels: NDArray[np.uint8], size: int) -> bytes:
    """A batch of exactly `size` bytes, which the first of the file names makes up for."""
    images = len(rows)
    memo = b"r\xff\0\0\0"
    names = [_short(b"picture_%08d.png" % number) + memo for number in range(1, images)]
    fine, coarse = (_list(b"K" + bytes([label]) for label in column.tolist()) for column in (labels, labels // 5))
    data = rows.tobytes()
    shape = b"M" + images.to_bytes(2, "little") + b"M" + (3_072).to_bytes(2, "little")
    array = _ARRAY + shape + _BYTES + len(data).to_bytes(4, "little") + data + b"tb"
    before = pickle.PROTO + b"\x02}(" + _short(b"batch_label") + _short(b"training") + _short(b"filenames") + b"]("
    after = b"".join(names) + b"e" + _short(b"fine_labels") + fine + _short(b"coarse_labels") + coarse
    after += _short(b"data") + array + b"u" + pickle.STOP
    filler = size - len(before) - len(after) - 5
    return before + b"T" + filler.to_bytes(4, "little") + b"x" * filler + after


def _short(text: bytes) -> bytes:
    return pickle.SHORT_BINSTRING + bytes([len(text)]) + text


def _list(items: Iterable[bytes]) -> bytes:
    return b"](" + b"".join(items) + b"e"
