"""One archive, whole and verified, from whichever source gives it best; what came stays for the next attempt."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cifartui.dataset.fetching.answer import host_of, make_client
from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.fetching.bounds import BOUNDS, Bounds
from cifartui.dataset.fetching.supply import Supply
from cifartui.errors import CifartuiError
from cifartui.files import sha256_of, sync_folder
from cifartui.progress import LongWork, Progress


def download(archive: Archive, folder: Path, bounds: Bounds = BOUNDS) -> LongWork[Path]:
    """Fetch an archive into `folder`; yields progress in bytes. Nothing is fetched if it is there already.

    Raises:
        DataError: no source gives it; what came is kept and the next call goes on from there.
        CifartuiError: another process is fetching it, or the disk has no room for it.
        OSError: it cannot be written.
    """
    target = folder / archive.file
    if target.exists() and target.stat().st_size == archive.bytes:
        return target
    part = target.with_name(f"{target.name}.part")
    with _owned(part) as file:
        begun = file.seek(0, os.SEEK_END)
        if begun > archive.bytes:
            begun = file.truncate(0)
        _require_room(folder, archive.bytes - begun)
        supply = Supply(archive, make_client(bounds), bounds)
        while True:
            yield from _fill(file.fileno(), supply, archive, bounds)
            yield Progress("verifying", archive.bytes, archive.bytes, "bytes")
            if sha256_of(part) == archive.sha256:
                break
            supply.blame(begun=begun > 0)
            begun = file.truncate(0)
        os.fsync(file.fileno())
        part.replace(target)
        sync_folder(folder)
    return target


def _fill(file: int, supply: Supply, archive: Archive, bounds: Bounds) -> LongWork[None]:
    """Append what is missing of the archive to the file with this descriptor."""
    have = os.fstat(file).st_size
    next_report = 0.0
    try:
        while have < archive.bytes:
            data = supply.read(have)
            _write(file, data)
            have += len(data)
            if time.monotonic() >= next_report:
                next_report = time.monotonic() + bounds.tick_seconds
                activity = f"fetching from {host_of(supply.url)}" if supply.url else "asking the sources"
                yield Progress(activity, have, archive.bytes, "bytes", supply.rate)
    finally:
        supply.close()


@contextmanager
def _owned(part: Path) -> Iterator[BinaryIO]:
    """Open the part file for appending, for this process alone."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CifartuiError(f"{part.stem} is being fetched by another process already; wait for it.") from error
        if not part.exists() or not os.path.samestat(os.fstat(file.fileno()), part.stat()):
            raise CifartuiError(f"{part.stem} was fetched by another process just now; ask again.")
        yield file


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CifartuiError(
            f"The disk of {folder} has {free:,} bytes free and {needed:,} more are needed; free some space."
        )


def identify(path: Path, archives: Iterable[Archive]) -> Archive | None:
    """Which of the published archives a file is, by size and sha256."""
    size = path.stat().st_size
    candidates = [archive for archive in archives if archive.bytes == size]
    digest = sha256_of(path) if candidates else None
    return next((archive for archive in candidates if archive.sha256 == digest), None)
