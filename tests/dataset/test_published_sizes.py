"""CIFAR-100 as large as it was published comes in whole, as torchvision reads it, in bounded memory."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torchvision

from cifartui.dataset.pictures import read_split
from cifartui.dataset.store import Split, load_facts
from tests.dataset import published

MAX_RESIDENT_MB = 600
PROGRAM = """
import re, sys
from pathlib import Path
from cifartui.dataset.importing import import_dataset
from cifartui.progress import finish
finish(import_dataset(Path(sys.argv[1]), "cifar100"))
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


class Unchecked(torchvision.datasets.CIFAR100):
    """torchvision's reader without its list of checksums."""

    meta = {**torchvision.datasets.CIFAR100.meta, "md5": None}

    def _check_integrity(self) -> bool:
        return True


def _peak_megabytes(source: Path) -> float:
    """Import in a process of its own; its largest resident set."""
    command = [sys.executable, "-c", PROGRAM, str(source)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _stored(split: Split) -> tuple[str, list[int]]:
    pixels, labels = read_split("cifar100", split)
    return hashlib.sha256(pixels.transpose(0, 2, 3, 1).tobytes()).hexdigest(), labels.tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_python_version_equals_torchvisions(tmp_path: Path) -> None:
    """From an archive: counts, names, labels, and the sha256 of torchvision's arrays."""
    folder = tmp_path / "cifar-100-python"
    published.write_python(folder)
    assert (folder / "train").stat().st_size == published.SIZES["train"]
    with tarfile.open(tmp_path / "given.tar", "w") as tar:
        tar.add(folder, folder.name)
    assert _peak_megabytes(tmp_path / "given.tar") < MAX_RESIDENT_MB
    facts = load_facts("cifar100")
    assert (facts.train, facts.test, facts.classes) == (50_000, 10_000, tuple(published.NAMES))
    for split, is_train in (("train", True), ("test", False)):
        reference = Unchecked(os.fspath(tmp_path), train=is_train)
        digest = hashlib.sha256(np.ascontiguousarray(reference.data).data).hexdigest()
        assert _stored(split) == (digest, reference.targets)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_binary_version_has_the_same_pictures(tmp_path: Path) -> None:
    """From a folder: the pixels and fine labels that were written."""
    folder = tmp_path / "cifar-100-binary"
    published.write_binary(folder)
    assert (folder / "train.bin").stat().st_size == published.SIZES["train.bin"]
    assert _peak_megabytes(folder) < MAX_RESIDENT_MB
    assert load_facts("cifar100").classes == tuple(published.NAMES)
    for split in published.IMAGES:
        rows, labels = published.pixels_and_labels(split)
        pixels, stored = read_split("cifar100", split)
        assert np.array_equal(pixels.reshape(-1, 3_072), rows)
        assert np.array_equal(stored, labels)
