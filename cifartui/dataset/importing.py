"""Bringing a user's images in: class folders or CIFAR-10's own files, from a folder or an archive."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from cifartui.dataset.archive import HashingReader, entries, tar_entries
from cifartui.dataset.class_folders import ClassFolders
from cifartui.dataset.decoding import Fit, Size
from cifartui.dataset.entry import Entry
from cifartui.dataset.official import OfficialFiles
from cifartui.dataset.store import (
    DatasetFacts,
    LabelledImages,
    Split,
    check_name,
    facts_file,
    is_prepared,
    store_splits,
)
from cifartui.errors import DataError, UsageError
from cifartui.progress import LongWork, Progress
from cifartui.text import printable

REPORT_SECONDS = 0.1


def import_dataset(path: Path, name: str, size: Size | None = None, fit: Fit = "crop") -> LongWork[DatasetFacts]:
    """Read all images at `path` in one pass and store them as the data set `name`; yields progress in images.

    Pictures in class folders are brought to `size` if one is given, and else must have one size.

    Raises:
        UsageError: the name is taken or not allowed, or a size is given for CIFAR's own files.
        DataError: the images cannot be used; the sentence names the file. Nothing is stored then.
        OSError: the data set cannot be written; nothing of it is left.
    """
    if is_prepared(check_name(name)):
        raise UsageError(f"There is a data set named {name} here already ({facts_file(name)}); choose another --name.")
    shown = source_name(path)
    official = OfficialFiles(shown)
    with closing(ClassFolders(shown, size, fit)) as folders:
        yield from read_entries(entries(path), official, folders)
        source = f"imported from {shown}"
        if official.images:
            if size:
                raise UsageError(f"{shown} holds CIFAR's own files, whose pictures are 32×32; leave --size out.")
            train, test, classes = official.splits()
            splits: dict[Split, LabelledImages] = {"train": train, "test": test}
            return (yield from store_splits(name, splits, classes, source, left_out=folders.left_out))
        labelled = folders.label()
        folders.check_one_size()
        images = folders.images_of(labelled)
        sizes, left_out = folders.sizes, folders.left_out
        return (yield from store_splits(name, images, labelled.classes, source, sizes=sizes, left_out=left_out))


def read_archive(path: Path) -> LongWork[tuple[LabelledImages, LabelledImages, tuple[str, ...], str]]:
    """Read CIFAR's own files from an archive and hash it in one pass: training and test images, class names, sha256.

    The bytes that are parsed are the bytes that are hashed, so nobody can change them in between.

    Raises:
        DataError: the images cannot be used; the sentence names the file.
        OSError: the archive cannot be read.
    """
    shown = printable(path.name, 200)
    official = OfficialFiles(shown)
    with path.open("rb") as file:
        reader = HashingReader(file)
        yield from read_entries(tar_entries(reader, shown), official, None)
        if not official.images:
            raise DataError(f"{shown} holds none of CIFAR's own files; get it again.")
        train, test, classes = official.splits()
        return train, test, classes, reader.finish()


def source_name(path: Path) -> str:
    """What a source is called in sentences."""
    return printable(path.name or str(path), 200)


def read_entries(
    found: Iterator[Entry],
    official: OfficialFiles,
    folders: ClassFolders | None,
    taken: Callable[[Entry], None] = lambda entry: None,
) -> LongWork[None]:
    """Hand every entry to whom it belongs; `taken` sees each picture of the class folders.

    Raises:
        DataError: an entry cannot be used; the sentence names it.
    """
    yield Progress("reading images", 0)
    due = time.monotonic() + REPORT_SECONDS
    for entry in found:
        if entry.kind == "file" and official.owns(entry):
            official.add(entry)
        elif folders and folders.add(entry):
            taken(entry)
        if time.monotonic() >= due:
            due = time.monotonic() + REPORT_SECONDS
            yield Progress("reading images", official.images + (folders.images if folders else 0))
    if official.images and folders:
        folders.give_way()
