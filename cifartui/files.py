"""Files that are either whole or not there, and places that are no files."""

import errno
import glob
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cifartui.errors import UsageError
from cifartui.text import printable

MAX_LINKS = 40
"""As many symbolic links as Linux follows."""


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
    Temporary files left by a killed writer of the same target are removed. A file that was there keeps its mode and,
    where the system allows it, its owner; a symbolic link stays and what it names is written. What is no regular file
    (a device, a pipe, `/dev/stdout`) is written through and stays what it is.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    if is_written_through(target):
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder) / "content"
            yield temporary
            _write_through(temporary, target)
        return
    place = Path(os.path.realpath(target))
    temporary = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        yield temporary
        _keep_mode_and_owner(place, temporary)
        sync_file(temporary)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(place.parent)
    for leftover in place.parent.glob(f".{glob.escape(place.name)}.*.part"):
        leftover.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes) -> None:
    """Write `data` to `target`, of which there is one writer, so that whoever reads it finds the old file or the new.

    It costs no waiting for the disk: if the machine crashes, the file may be torn.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_written_through(target: Path) -> bool:
    """Whether `target` is there and no file that another could take the place of: a device, a pipe, a descriptor."""
    try:
        mode = target.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or _names_descriptor(target)


def check_target(target: Path) -> None:
    """Check that `target` names a file in a folder that exists, or something to write into: a pipe, a device.

    Raises:
        UsageError: it does not.
    """
    if target.is_dir() or not (is_written_through(target) or Path(os.path.realpath(target)).parent.is_dir()):
        raise UsageError(f"{printable(str(target))} cannot be written: name a file in a folder that exists.")


def kind_of(mode: int) -> str:
    """What a path leads to, from its `st_mode`: "a file", "a folder", "a pipe" …"""
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no file")


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading; a pipe or a device in its place is refused instead of waited for.

    Raises:
        OSError: it is not there, may not be read, or is no file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {kind_of(mode)}, not a file", str(path))
    return os.fdopen(descriptor, "rb")


@contextmanager
def system_errors(target: Path) -> Iterator[None]:
    """Raise what the system said to safetensors, which tells it only in its text, as the OSError that it was."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error), str(target)) from error


def sync_file(path: Path) -> None:
    """Make the bytes of a file durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    sync_file(folder)


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names_descriptor(path: Path) -> bool:
    """Whether a path leads through a process's open files, as `/dev/stdout` and `/dev/fd/1` do."""
    for _ in range(MAX_LINKS):
        folder = Path(os.path.realpath(path.absolute().parent))
        if folder.is_relative_to("/proc") or folder == Path("/dev/fd"):
            return True
        try:
            path = folder / os.readlink(path)
        except OSError:
            break
    return False


def _write_through(content: Path, target: Path) -> None:
    append = os.O_APPEND if target.is_file() else 0  # a shell's `>> file`, named as /dev/stdout
    with content.open("rb") as source, os.fdopen(os.open(target, os.O_WRONLY | append), "wb") as sink:
        shutil.copyfileobj(source, sink)


def _keep_mode_and_owner(place: Path, temporary: Path) -> None:
    try:
        former = place.stat()
    except FileNotFoundError:
        return
    made = temporary.stat()
    if (former.st_uid, former.st_gid) != (made.st_uid, made.st_gid):
        with suppress(PermissionError):  # only root may give files away
            os.chown(temporary, former.st_uid, former.st_gid)
    temporary.chmod(stat.S_IMODE(former.st_mode))
