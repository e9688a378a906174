"""Files that are either whole or not there."""

import hashlib
import os
from pathlib import Path


def write_durably(target: Path, data: bytes) -> None:
    """Write `data` to `target` so that a crash at any moment leaves the old file or the new one, never a part.

    Temporary file in the same folder, fsync, rename, fsync of the folder (the order of Pillai et al., OSDI 2014).
    Temporary files left by a killed writer of the same target are removed.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
