"""CIFAR-10's own files: the two formats agree with torchvision's reader, and no pickle runs anything."""

import os
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision

from cifartui.dataset.decoding import Size
from cifartui.dataset.images import load_image_set
from cifartui.dataset.importing import import_dataset
from cifartui.dataset.official import CLASSES
from cifartui.errors import DataError, UsageError
from cifartui.progress import finish
from tests.conftest import noise
from tests.dataset.test_importing import left_behind, pack_tar

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
PER_BATCH = 20


def write_python(root: Path, images: int = PER_BATCH) -> Path:
    """`cifar-10-batches-py` with small batches, as torchvision expects them."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        pixels, labels = noise(images, seed=seed)
        batch = {"data": pixels.reshape(images, -1), "labels": labels.tolist(), "batch_label": name}
        (folder / name).write_bytes(_keys_as_in_python_2(pickle.dumps(batch, protocol=2)))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CLASSES)}, protocol=2))
    return folder


def _keys_as_in_python_2(pickled: bytes) -> bytes:
    """The official files hold byte strings as keys: the opcode BINSTRING where Python 3 writes BINUNICODE."""
    changed = bytearray(pickled)
    for opcode, argument, position in pickletools.genops(pickled):
        if opcode.name == "BINUNICODE" and argument in ("data", "labels", "batch_label"):
            changed[position : position + 1] = pickle.BINSTRING
    return bytes(changed)


def write_binary(root: Path) -> Path:
    """`cifar-10-batches-bin` with the same images."""
    folder = root / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        images, labels = noise(PER_BATCH, seed=seed)
        rows = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(PER_BATCH, -1)], axis=1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    return folder


class Unchecked(torchvision.datasets.CIFAR10):
    """torchvision's reader without its list of checksums."""

    meta = {**torchvision.datasets.CIFAR10.meta, "md5": None}

    def _check_integrity(self) -> bool:
        return True


@pytest.mark.parametrize("write", [write_python, write_binary])
@pytest.mark.parametrize("packed", [False, True])
def test_pixels_and_labels_equal_torchvisions(tmp_path: Path, write: Callable[[Path], Path], packed: bool) -> None:
    """Both formats, as folder and as archive, give torchvision's arrays byte for byte and in order."""
    folder = write(tmp_path / "given")
    finish(import_dataset(pack_tar(folder, ".tar.gz") if packed else folder.parent, "cifar10"))
    write_python(tmp_path / "reference")
    for split, is_train in (("train", True), ("test", False)):
        reference = Unchecked(str(tmp_path / "reference"), train=is_train)
        ours = load_image_set("cifar10", split)
        assert np.array_equal(ours.images.permute(0, 2, 3, 1).numpy(), reference.data)
        assert ours.labels.tolist() == reference.targets
        assert ours.classes == CLASSES


class _Bomb:
    """Unpickled the usual way, this would run a command."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._canary}",)


def test_pickle_that_wants_to_run_code_is_refused(tmp_path: Path, home: Path) -> None:
    """The sentence names the function, nothing runs, nothing is stored."""
    folder, canary = write_python(tmp_path), tmp_path / "canary"
    (folder / "data_batch_3").write_bytes(pickle.dumps(_Bomb(canary)))
    with pytest.raises(DataError, match=r"data_batch_3 wants to run posix\.system, which no batch needs"):
        finish(import_dataset(folder, "cifar10"))
    assert not canary.exists()
    assert left_behind(home) == []


def _batch(**changes: Any) -> bytes:
    images, labels = noise(PER_BATCH)
    content: dict[str, Any] = {"data": images.reshape(PER_BATCH, -1), "labels": labels.tolist()} | changes
    return pickle.dumps(content)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (_batch()[:5_000], "is cut short after 5,000 bytes"),
        (b"", "is damaged or no batch"),
        (pickle.dumps([1, 2]), "holds no batch of CIFAR"),
        (_batch(data="pixels"), "holds no rows of 3,072 pixels"),
        (_batch(data=np.zeros((20, 3000), np.uint8)), "holds no rows of 3,072 pixels"),
        (_batch(data=np.zeros((20, 3072), np.float32)), "holds an array of f4, not of bytes"),
        (_batch(labels=[1] * 19), "has 19 labels for 20 images"),
        (_batch(labels=[10] * 20), "has labels outside 0 to 9"),
        (_batch(labels=["cat"] * 20), "holds no list of labels"),
    ],
)
def test_damaged_python_batch_gets_a_sentence(tmp_path: Path, home: Path, data: bytes, sentence: str) -> None:
    """Whatever is in a batch file, the sentence names the file, and nothing is stored."""
    folder = write_python(tmp_path)
    (folder / "data_batch_2").write_bytes(data)
    with pytest.raises(DataError, match="data_batch_2") as caught:
        finish(import_dataset(folder, "cifar10"))
    assert sentence in str(caught.value)
    assert left_behind(home) == []


def test_damaged_binary_batch_gets_a_sentence(tmp_path: Path) -> None:
    """A truncated file and a label of 200 are found."""
    folder = write_binary(tmp_path)
    whole = (folder / "test_batch.bin").read_bytes()
    for data, sentence in ((whole[:-1], "no number of whole images"), (b"\xc8" + whole[1:], "labels outside 0 to 9")):
        (folder / "test_batch.bin").write_bytes(data)
        with pytest.raises(DataError, match=sentence):
            finish(import_dataset(folder, "cifar10"))


def test_official_files_are_not_scaled(tmp_path: Path) -> None:
    """A size for them is wrong usage, not passed over."""
    with pytest.raises(UsageError, match="whose pictures are 32×32; leave --size out"):
        finish(import_dataset(write_python(tmp_path), "cifar10", Size(64, 64)))


@pytest.mark.parametrize("missing", ["data_batch_4", "test_batch"])
def test_missing_batch_is_named(tmp_path: Path, missing: str) -> None:
    """A set of files that is not whole says which is missing."""
    folder = write_python(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(DataError, match=f"has no {missing}"):
        finish(import_dataset(folder, "cifar10"))


def test_both_formats_side_by_side_are_refused(tmp_path: Path) -> None:
    """The same batch in two formats is not counted twice."""
    write_python(tmp_path)
    write_binary(tmp_path)
    with pytest.raises(DataError, match="comes twice"):
        finish(import_dataset(tmp_path, "cifar10"))


def write_fine(root: Path, *, binary: bool) -> Path:
    """CIFAR-100's folder with one image of each fine class in each split."""
    folder = root / ("cifar-100-binary" if binary else "cifar-100-python")
    folder.mkdir(parents=True)
    names = [f"fine{number}" for number in range(100)]
    for seed, split in enumerate(("train", "test")):
        images, labels = noise(100, classes=100, seed=seed)
        rows = images.reshape(100, -1)
        if binary:
            both = np.stack([labels // 5, labels], axis=1).astype(np.uint8)
            (folder / f"{split}.bin").write_bytes(np.concatenate([both, rows], axis=1).tobytes())
        else:
            batch = {"data": rows, "fine_labels": labels.tolist(), "coarse_labels": (labels // 5).tolist()}
            (folder / split).write_bytes(pickle.dumps(batch, protocol=2))
    if binary:
        (folder / "fine_label_names.txt").write_text("\n".join(names) + "\n")
    else:
        (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names, "coarse_label_names": []}, protocol=2))
    return folder


@pytest.mark.parametrize("binary", [False, True])
def test_cifar100_comes_with_its_fine_labels(tmp_path: Path, binary: bool) -> None:
    """Both formats: a hundred classes by name, pixels byte for byte."""
    facts = finish(import_dataset(write_fine(tmp_path, binary=binary), "cifar100"))
    assert facts.classes == tuple(f"fine{number}" for number in range(100))
    for seed, split in enumerate(("train", "test")):
        images, labels = noise(100, classes=100, seed=seed)
        ours = load_image_set("cifar100", split)
        assert np.array_equal(ours.images.numpy(), images)
        assert ours.labels.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("missing", "sentence"), [("test", "has no file 'test'"), ("meta", "has no list of class names (meta)")]
)
def test_incomplete_cifar100_is_told(tmp_path: Path, missing: str, sentence: str) -> None:
    """The sentence names what is not there."""
    folder = write_fine(tmp_path, binary=False)
    (folder / missing).unlink()
    with pytest.raises(DataError) as caught:
        finish(import_dataset(folder, "cifar100"))
    assert sentence in str(caught.value)
