"""Bringing a user's images in: class folders or CIFAR-10's own files, from a folder or an archive."""

import time
from collections.abc import Iterator
from pathlib import Path

from cifartui.dataset.archive import Entry, HashingReader, entries, tar_entries
from cifartui.dataset.class_folders import ClassFolders
from cifartui.dataset.official import OfficialFiles
from cifartui.dataset.store import DatasetFacts, LabelledImages, check_name, facts_file, is_prepared, save_dataset
from cifartui.errors import UsageError
from cifartui.progress import Progress, Steps
from cifartui.text import printable

REPORT_SECONDS = 0.1


def import_dataset(path: Path, name: str) -> Steps[DatasetFacts]:
    """Read all images at `path` in one pass and store them as the data set `name`; yields progress in images.

    Raises:
        UsageError: the name is taken or not allowed.
        DataError: the images cannot be used; the sentence names the file. Nothing is stored then.
        OSError: the data set cannot be written; nothing of it is left.
    """
    if is_prepared(check_name(name)):
        raise UsageError(f"There is a data set named {name} here already ({facts_file(name)}); choose another --name.")
    shown = printable(path.name or str(path), 200)
    train, test, classes = yield from _read(entries(path), shown)
    yield Progress("storing images", len(train.labels) + len(test.labels), len(train.labels) + len(test.labels))
    return save_dataset(name, train, test, classes, f"imported from {shown}")


def read_archive(path: Path) -> Steps[tuple[LabelledImages, LabelledImages, tuple[str, ...], str]]:
    """Read the images of an archive and hash it in one pass: training and test images, class names, sha256.

    The bytes that are parsed are the bytes that are hashed, so nobody can change them in between.

    Raises:
        DataError: the images cannot be used; the sentence names the file.
        OSError: the archive cannot be read.
    """
    shown = printable(path.name, 200)
    with path.open("rb") as file:
        reader = HashingReader(file)
        train, test, classes = yield from _read(tar_entries(reader, shown), shown)
        return train, test, classes, reader.finish()


def _read(found: Iterator[Entry], shown: str) -> Steps[tuple[LabelledImages, LabelledImages, tuple[str, ...]]]:
    folders, official = ClassFolders(shown), OfficialFiles(shown)
    yield Progress("reading images", 0)
    due = time.monotonic() + REPORT_SECONDS
    for entry in found:
        if not entry.is_folder and official.owns(entry.path):
            official.add(entry)
        else:
            folders.add(entry)
        if time.monotonic() >= due:
            due = time.monotonic() + REPORT_SECONDS
            yield Progress("reading images", folders.images + official.images)
    return official.splits() if official.images else folders.splits()
