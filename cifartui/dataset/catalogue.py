"""Keeping the data sets on this machine: verify, rename, remove, and write them out as pictures."""

import hashlib
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import msgspec

from cifartui.dataset.store import (
    DatasetFacts,
    check_name,
    facts_file,
    images_file,
    is_prepared,
    load_facts,
    write_facts,
)
from cifartui.errors import DataError, UsageError
from cifartui.files import sync_folder
from cifartui.progress import LongWork, Progress
from cifartui.text import printable

BLOCK_BYTES = 4 * 1024 * 1024
REPORT_EVERY = 200


def verify_dataset(name: str) -> LongWork[DatasetFacts]:
    """Hash a data set's pixels and compare with what was stored; notes the time of success in its facts.

    Raises:
        DataError: there is no such data set, or its bytes have changed.
        OSError: it cannot be read.
    """
    facts = load_facts(name)
    digest, done = hashlib.sha256(), 0
    with images_file(name).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            yield Progress("verifying", done, facts.bytes, "bytes")
    if digest.hexdigest() != facts.sha256:
        raise DataError(
            f"{images_file(name)} is damaged: its sha256 is not the one it was stored with; "
            f"remove it with `cifartui dataset remove {name}` and get it again."
        )
    verified = msgspec.structs.replace(facts, verified=time.time())
    write_facts(verified)
    return verified


def rename_dataset(name: str, new_name: str) -> DatasetFacts:
    """Give a data set another name; a crash leaves it whole under one of the two or under both.

    Raises:
        UsageError: the new name is taken or not allowed.
        DataError: there is no such data set.
        OSError: it cannot be written.
    """
    facts = msgspec.structs.replace(load_facts(name), name=check_name(new_name))
    if is_prepared(new_name):
        raise UsageError(f"There is a data set named {new_name} here already; choose another name.")
    images_file(new_name).unlink(missing_ok=True)
    try:
        os.link(images_file(name), images_file(new_name))
    except OSError:  # a file system without hard links
        shutil.copyfile(images_file(name), images_file(new_name))
    write_facts(facts)
    remove_dataset(name)
    return facts


def remove_dataset(name: str) -> None:
    """Remove a data set, damaged or not.

    Raises:
        DataError: there is no such data set.
        OSError: it cannot be removed.
    """
    if not is_prepared(name):
        load_facts(name)  # says what there is instead
    facts_file(name).unlink()
    images_file(name).unlink(missing_ok=True)
    sync_folder(facts_file(name).parent)


def export_dataset(name: str, target: Path) -> LongWork[int]:
    """Write a data set as `<split>/<class>/00000.png`; returns the number of pictures.

    Raises:
        UsageError: the target is there already, or its folder is not.
        DataError: there is no such data set, or it is damaged.
        OSError: the pictures cannot be written; nothing of them is left.
    """
    from PIL import Image

    from cifartui.dataset.class_folders import distinct_names
    from cifartui.dataset.pictures import read_split

    facts = load_facts(name)
    if target.exists() or not target.parent.is_dir():
        raise UsageError(f"{printable(str(target))} cannot be written: name a new folder in one that exists.")
    names = distinct_names([_folder_name(class_name) for class_name in facts.classes])
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    total, done = sum(map(facts.images, facts.splits)), 0
    try:
        for split in facts.splits:
            pixels, labels = read_split(name, split)
            folders = [temporary / split / name for name in names]
            for folder in folders:
                folder.mkdir(parents=True)
            numbers: Counter[int] = Counter()
            for picture, label in zip(pixels, labels.tolist(), strict=True):
                path = folders[label] / f"{numbers[label]:05}.png"
                Image.fromarray(picture.transpose(1, 2, 0)).save(path)
                numbers[label] += 1
                done += 1
                if done % REPORT_EVERY == 0 or done == total:
                    yield Progress("writing pictures", done, total)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return total


def _folder_name(class_name: str) -> str:
    return class_name.replace("/", "_").lstrip(".") or "_"
