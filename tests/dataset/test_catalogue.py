"""Keeping data sets: verified against their checksum, renamed, removed, written out as pictures."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from cifartui.dataset.catalogue import export_dataset, remove_dataset, rename_dataset, verify_dataset
from cifartui.dataset.images import load_image_set
from cifartui.dataset.importing import import_dataset
from cifartui.dataset.pictures import read_pictures, read_split
from cifartui.dataset.statistics import HISTOGRAM_BINS, ChannelTally
from cifartui.dataset.store import (
    DatasetFacts,
    images_file,
    load_facts,
    prepared_names,
    save_dataset,
)
from cifartui.errors import DataError, UsageError
from cifartui.progress import finish
from tests.conftest import noise


def test_verify_notes_success_and_finds_a_flipped_byte(sketches: DatasetFacts) -> None:
    """The time of a success is kept; one changed byte is found."""
    assert sketches.verified is None
    verified = finish(verify_dataset(sketches.name))
    assert verified.verified is not None
    assert load_facts(sketches.name) == verified
    path = images_file(sketches.name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="its sha256 is not the one it was stored with"):
        finish(verify_dataset(sketches.name))


def test_rename_keeps_everything_else(sketches: DatasetFacts) -> None:
    """The pixels are the same under the new name, and the old one is gone."""
    before = read_split(sketches.name, "test")[0].tobytes()
    facts = rename_dataset(sketches.name, "other")
    assert prepared_names() == ["other"]
    assert facts.sha256 == sketches.sha256
    assert read_split("other", "test")[0].tobytes() == before
    with pytest.raises(UsageError, match="There is a data set named other here already"):
        rename_dataset("other", "other")
    with pytest.raises(UsageError, match="cannot name a data set"):
        rename_dataset("other", "../other")


def test_remove_takes_damaged_sets_too(sketches: DatasetFacts) -> None:
    """A data set whose pixels are gone can still be removed; one that is not there is told."""
    images_file(sketches.name).unlink()
    remove_dataset(sketches.name)
    assert prepared_names() == []
    with pytest.raises(DataError, match="There is no data set named 'few'"):
        remove_dataset(sketches.name)


def test_exported_pictures_come_back_equal(sketches: DatasetFacts, tmp_path: Path) -> None:
    """Class folders of PNGs, imported again, hold the same pixels of the same classes."""
    assert finish(export_dataset(sketches.name, tmp_path / "out")) == 300
    facts = finish(import_dataset(tmp_path / "out", "back"))
    assert facts.classes == tuple(sorted(sketches.classes))
    for split in ("train", "test"):
        ours, labels = read_split(sketches.name, split)
        again, again_labels = read_split("back", split)
        for label in range(10):
            assert np.array_equal(ours[labels == label], again[again_labels == label])
    with pytest.raises(UsageError, match="name a new folder"):
        finish(export_dataset(sketches.name, tmp_path / "out"))


def test_held_out_split_is_kept_like_the_others(tmp_path: Path) -> None:
    """Stored, counted, opened, verified, renamed and written out; a set without one says so."""
    splits = noise(20), noise(10, seed=1), noise(30, seed=2)
    train, test, validation = splits
    classes = tuple("abcdefghij")
    facts = save_dataset("three", train, test, classes, "made for the tests", validation=validation)
    assert (facts.validation, facts.class_counts.validation) == (30, (3,) * 10)
    finish(verify_dataset("three"))
    rename_dataset("three", "other")
    assert load_facts("other").splits == ("train", "validation", "test")
    opened = load_image_set("other", "validation")
    assert np.array_equal(opened.images.numpy(), validation.images)
    picture = read_pictures("other", "validation", [7])[0]
    assert picture.label == 7
    assert np.array_equal(picture.pixels, validation.images[7].transpose(1, 2, 0))
    assert finish(export_dataset("other", tmp_path / "out")) == 60
    assert len(list((tmp_path / "out" / "validation" / "c").iterdir())) == 3
    two = save_dataset("two", train, test, classes, "made for the tests")
    assert two.splits == ("train", "test")
    for read in (lambda: load_image_set("two", "validation"), lambda: read_pictures("two", "validation", [0])):
        with pytest.raises(DataError, match="Data set two has no validation images; it has train and test"):
            read()


def test_export_that_is_cut_short_leaves_nothing(sketches: DatasetFacts, tmp_path: Path) -> None:
    """Half-written folders are removed."""
    work = export_dataset(sketches.name, tmp_path / "out")
    next(work)
    work.close()
    assert list(tmp_path.glob("*out*")) == []


def test_statistics_are_exact() -> None:
    """Mean, standard deviation and histogram equal numpy's over all pixels."""
    images = noise(50).images
    tally = ChannelTally()
    tally.add(images[:7])
    tally.add(images[7:])
    mean, std, histogram = tally.statistics()
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3)) / 255, rtol=1e-12)
    np.testing.assert_allclose(std, images.std(axis=(0, 2, 3)) / 255, rtol=1e-9)
    for channel in range(3):
        counts, _ = np.histogram(images[:, channel], bins=HISTOGRAM_BINS, range=(0, 256))
        assert list(histogram[channel]) == counts.tolist()


def test_files_are_those_of_the_safetensors_package(tmp_path: Path) -> None:
    """What is written a block at a time equals, byte for byte, what the package writes from memory."""
    train, test, validation = noise(2_000), noise(10, seed=1), noise(30, seed=2)
    save_dataset("three", train, test, tuple("abcdefghij"), "made for the tests", validation=validation)
    tensors = {}
    for split, (images, labels) in {"train": train, "test": test, "validation": validation}.items():
        tensors |= {f"{split}.images": images, f"{split}.labels": labels}
    assert images_file("three").read_bytes() == save(tensors)
