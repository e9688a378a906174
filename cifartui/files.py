"""Files that are either whole or not there."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_durably(target: Path, data: bytes) -> None:
    """Write `data` to `target`, as `durably` does.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    with durably(target) as temporary:
        temporary.write_bytes(data)


@contextmanager
def durably(target: Path) -> Iterator[Path]:
    """Give a path to write to that becomes `target` when it is whole: a crash leaves the old file or the new one.

    Temporary file in the same folder, fsync, rename, fsync of the folder (the order of Pillai et al., OSDI 2014).
    Temporary files left by a killed writer of the same target are removed.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        _sync_file(temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        leftover.unlink(missing_ok=True)


@contextmanager
def system_errors(target: Path) -> Iterator[None]:
    """Raise what the system said to safetensors, which tells it only in its text, as the OSError that it was."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error), str(target)) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    _sync_file(folder)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
