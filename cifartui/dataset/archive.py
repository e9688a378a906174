"""One pass over the files of a folder or archive; nothing is ever extracted to disk.

Only regular files are read, links are never followed, and a member's bytes are read in place.
"""

import errno
import hashlib
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from cifartui.errors import DataError
from cifartui.text import printable

MAX_FILE_BYTES = 64 * 1024 * 1024
"""The largest file of CIFAR-10 has 31 MB; an image has a few kB."""
MAX_ENTRIES = 1_000_000
MAX_HEADER_BYTES = 16 * 1024
"""Of a long name or of attributes; tarfile takes quadratic time over them."""
MAX_REST_BYTES = 16 * 1024 * 1024
"""Read after the end of an archive, which is padded with zeros."""
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError),
    *(ValueError, OverflowError, LookupError, struct.error),  # what the archive modules let through
)


@dataclass(frozen=True)
class Entry:
    """One folder or file within a source."""

    path: PurePosixPath
    """Relative to the source."""
    is_folder: bool
    size: int
    """Bytes."""
    source: str
    """Where it comes from, fit to be shown."""
    _read: Callable[[], bytes]

    def read(self) -> bytes:
        """The file's bytes; to be called before the next entry is taken.

        Raises:
            DataError: the file is larger than anything that belongs in a data set, or shorter than announced.
        """
        if self.size > MAX_FILE_BYTES:
            raise DataError(
                f"{self.source}: {printable(str(self.path))} has {self.size:,} bytes, "
                "more than any file of images; take it out."
            )
        with _sentences(self.source, lambda: printable(str(self.path), 200)):
            data = self._read()
        if len(data) != self.size:
            raise DataError(
                f"{self.source}: {printable(str(self.path))} has {len(data):,} bytes "
                f"and should have {self.size:,}; get it again."
            )
        return data


def entries(source: Path) -> Iterator[Entry]:
    """Go through a folder, .tar (plain, gzip, bzip2 or xz) or .zip once, in the order of the archive.

    Raises:
        DataError: the source is missing, cannot be read, is no archive, is truncated, or names files outside itself.
        OSError: the source cannot be opened.
    """
    shown = printable(str(source))
    if not source.exists():
        raise DataError(f"There is no {shown}; check the path.")
    if not os.access(source, os.R_OK):
        raise DataError(f"{shown} cannot be read: permission denied; check who may read it.")
    return _checked(_open(source, shown), shown)


def tar_entries(file: "HashingReader", shown: str) -> Iterator[Entry]:
    """Go through a .tar (plain, gzip, bzip2 or xz) that is read from its beginning to its end, never back.

    Raises:
        DataError: as `entries`.
    """

    def members() -> Iterator[Entry]:
        stream = cast("BinaryIO", file)  # a read method is enough
        with tarfile.open(fileobj=stream, mode="r|*", tarinfo=_StrictHeader) as tar:
            yield from _tar_members(tar, shown)

    return _checked(members(), shown)


class HashingReader:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def finish(self) -> str:
        """Read what is left; return the hexadecimal sha256 of the whole."""
        while self.read(1024 * 1024):
            pass
        return self._hash.hexdigest()


def _checked(found: Iterator[Entry], shown: str) -> Iterator[Entry]:
    """Turn what the archive modules raise into sentences; refuse names that lead out of the source or come twice."""
    seen: set[PurePosixPath] = set()
    for entry in _inside(found, shown):
        if not entry.is_folder:
            if entry.path in seen:
                raise DataError(f"{shown} holds {printable(str(entry.path))} twice; make it again.")
            seen.add(entry.path)
            if len(seen) > MAX_ENTRIES:
                raise DataError(f"{shown} holds more than {MAX_ENTRIES:,} files; that is no data set for this program.")
        yield entry


def _open(source: Path, shown: str) -> Iterator[Entry]:
    if source.is_dir():
        return _folder_entries(source, shown)
    if not source.is_file():
        raise DataError(f"{shown} is neither a folder nor a file; name one of them.")
    if zipfile.is_zipfile(source):
        return _zip_entries(source, shown)
    return _tar_entries(source, shown)


def _inside(found: Iterator[Entry], shown: str) -> Iterator[Entry]:
    last = "its beginning"
    with _sentences(shown, lambda: last):
        for entry in found:
            last = printable(str(entry.path), 200)
            if entry.path.is_absolute() or ".." in entry.path.parts:
                raise DataError(f"{shown} names {last}, a path outside itself; do not trust it.")
            yield entry


@contextmanager
def _sentences(shown: str, last: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        place = printable(str(error.filename or last()), 200)
        raise DataError(f"{place} cannot be read: permission denied; check who may read it.") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # the decompressors' own errors have no number
            raise
        raise _damaged(shown, last()) from error
    except _DAMAGE as error:
        raise _damaged(shown, last()) from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: an unknown compression, an encrypted member
        raise DataError(f"{shown} cannot be read ({printable(str(error), 200)}); pack it again as .tar.gz.") from error


def _damaged(shown: str, last: str) -> DataError:
    return DataError(f"{shown} is truncated, damaged or no archive (after {last}); get it again.")


def _folder_entries(folder: Path, shown: str) -> Iterator[Entry]:
    def refuse(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        inside = PurePosixPath(Path(root).relative_to(folder).as_posix())
        for name in folders:
            yield Entry(inside / name, is_folder=True, size=0, source=shown, _read=bytes)
        for name in sorted(files):
            path = Path(root) / name
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                yield Entry(inside / name, is_folder=False, size=status.st_size, source=shown, _read=path.read_bytes)


def _tar_entries(archive: Path, shown: str) -> Iterator[Entry]:
    with tarfile.open(archive, tarinfo=_StrictHeader) as tar:
        yield from _tar_members(tar, shown)
        rest = 0
        while tar.fileobj and rest < MAX_REST_BYTES and (block := tar.fileobj.read(64 * 1024)):
            rest += len(block)  # to the end, where the checksum of gzip, bzip2 and xz is compared


class _StrictHeader(tarfile.TarInfo):
    """A member's header; a damaged one is told and not taken for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: "bytes | bytearray", encoding: "str | None", errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]  # wider than in typeshed
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]  # not in typeshed
            raise tarfile.ReadError(str(error)) from error
        extends = header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        if header.size < 0 or (extends and header.size > MAX_HEADER_BYTES):
            raise tarfile.ReadError("a header with an impossible size")
        return header


def _tar_members(tar: tarfile.TarFile, shown: str) -> Iterator[Entry]:
    for member in tar:
        if member.size < 0:
            raise tarfile.ReadError("a member with an impossible size")
        path = PurePosixPath(member.name)
        if member.isdir():
            yield Entry(path, is_folder=True, size=0, source=shown, _read=bytes)
        elif member.isreg():
            yield Entry(path, is_folder=False, size=member.size, source=shown, _read=_member_reader(tar, member))
        tar.members = []  # type: ignore[attr-defined]  # it would keep the header of every member


def _member_reader(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        file = tar.extractfile(member)
        return file.read() if file else b""

    return read


def _zip_entries(archive: Path, shown: str) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            path = PurePosixPath(member.filename)
            if member.is_dir():
                yield Entry(path, is_folder=True, size=0, source=shown, _read=bytes)
            elif kind in (0, stat.S_IFREG):
                yield Entry(
                    path, is_folder=False, size=member.file_size, source=shown, _read=_zip_reader(packed, member)
                )


def _zip_reader(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        with packed.open(member) as file:
            return file.read(member.file_size + 1)

    return read
