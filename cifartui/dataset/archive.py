"""One pass over the files of a folder or archive; nothing is ever extracted to disk.

Only regular files are read, links are never followed, and a member's bytes are read in place.
"""

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from cifartui.dataset.compression import SequentialFile
from cifartui.dataset.entry import Entry, Kind, Readable, sentences
from cifartui.dataset.magic import HEAD_BYTES, foreign_kind, picture_kind
from cifartui.errors import DataError
from cifartui.text import printable, size

MAX_ENTRIES = 1_000_000
MAX_HEADER_BYTES = 16 * 1024
"""Of a long name or of attributes; tarfile takes quadratic time over them."""
MAX_REST_BYTES = 16 * 1024 * 1024
"""Read after the end of an archive, which is padded with zeros."""
MAX_PASSED_BYTES = 1024**3
"""Of what is no image in a compressed archive, where passing over costs as much as reading."""
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
READ = "a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz is read"


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
    name = printable(source.name or shown)
    return _checked(_open(source, name), name)


def tar_entries(file: "HashingReader", shown: str) -> Iterator[Entry]:
    """Go through a .tar (plain, gzip, bzip2 or xz) that is read from its beginning to its end, never back.

    Raises:
        DataError: as `entries`.
    """
    return _checked(_tar_members(cast("BinaryIO", file), shown), shown)  # a read method is enough


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
        if entry.kind == "file":
            if entry.path in seen:
                raise DataError(f"{shown} holds {printable(str(entry.path))} twice; make it again.")
            seen.add(entry.path)
            if len(seen) > MAX_ENTRIES:
                raise DataError(f"{shown} holds more than {MAX_ENTRIES:,} files; that is no data set for this program.")
        yield entry
        entry.close()


def _inside(found: Iterator[Entry], shown: str) -> Iterator[Entry]:
    last = "its beginning"
    with sentences(shown, lambda: last):
        for entry in found:
            last = printable(str(entry.path), 200)
            if entry.path.is_absolute() or ".." in entry.path.parts:
                raise DataError(f"{shown} names {last}, a path outside itself; do not trust it.")
            yield entry


def _open(source: Path, shown: str) -> Iterator[Entry]:
    if source.is_dir():
        return _folder_entries(source, shown)
    if not source.is_file():
        raise DataError(f"{shown} is neither a folder nor a file; name one of them.")
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if kind := foreign_kind(head):
        raise DataError(f"{shown} is {kind}; unpack it and name the folder: {READ}.")
    if picture_kind(head):
        raise DataError(f"{shown} is a single picture; name the folder that holds the class folders: {READ}.")
    if zipfile.is_zipfile(source):
        return _zip_entries(source, shown)
    return _tar_entries(source, shown)


def _folder_entries(folder: Path, shown: str) -> Iterator[Entry]:
    def refuse(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        inside = PurePosixPath(Path(root).relative_to(folder).as_posix())
        for name in folders:
            yield Entry(inside / name, "link" if os.path.islink(Path(root) / name) else "folder", shown)
        for name in sorted(files):
            path = Path(root) / name
            status = path.lstat()
            kind: Kind = "device or pipe"
            if stat.S_ISREG(status.st_mode):
                kind = "file"
            elif stat.S_ISLNK(status.st_mode):
                kind = "link"
            yield Entry(inside / name, kind, shown, status.st_size, partial(io.FileIO, path))


def _tar_entries(archive: Path, shown: str) -> Iterator[Entry]:
    with archive.open("rb") as file:
        yield from _tar_members(file, shown)


def _tar_members(packed: BinaryIO, shown: str) -> Iterator[Entry]:
    file = SequentialFile(packed)
    stream = cast("BinaryIO", file)  # what tarfile uses of it is there
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_StrictHeader) as tar:
        passed_bytes = 0
        for member in tar:
            if member.size < 0:
                raise tarfile.ReadError("a member with an impossible size")
            path, kind = PurePosixPath(member.name), _tar_kind(member)
            entry = Entry(path, kind, shown, member.size, partial(_Part, file, member))
            yield entry
            if not entry.is_used:
                passed_bytes += member.size
            if file.is_compressed and passed_bytes > MAX_PASSED_BYTES:
                raise DataError(
                    f"{shown} holds {size(passed_bytes)} of what is no image (as far as "
                    f"{printable(member.name, 200)}); take it out."
                )
            tar.members = []  # type: ignore[attr-defined]  # it would keep the header of every member
        end = file.tell() + MAX_REST_BYTES
        while file.tell() < end and file.read(64 * 1024):
            """To the end, where the checksum of gzip, bzip2 and xz is compared."""


def _tar_kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "folder"
    if member.issym():
        return "link"
    if member.islnk():
        return "hard link"
    return "file" if member.isreg() and not member.issparse() else "device or pipe"


class _Part:
    """The bytes of a member of a tar archive."""

    def __init__(self, file: SequentialFile, member: tarfile.TarInfo) -> None:
        self._file = file
        self._start = member.offset_data
        self._end = member.offset_data + member.size

    def read(self, size: int, /) -> bytes:
        self._file.seek(max(self._start, self._file.tell()))
        return self._file.read(min(size, self._end - self._file.tell()))

    def close(self) -> None:
        """The archive stays open."""


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


def _zip_entries(archive: Path, shown: str) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            name = member.filename
            if "/" not in name:  # packed on Windows by a program that keeps its separators
                name = name.replace("\\", "/")
            kind, opened = _zip_kind(member, name), partial(_open_member, packed, member, shown)
            yield Entry(PurePosixPath(name), kind, shown, member.file_size, opened)


def _zip_kind(member: zipfile.ZipInfo, name: str) -> Kind:
    mode = stat.S_IFMT(member.external_attr >> 16)
    if name.endswith("/"):
        return "folder"
    if mode == stat.S_IFLNK:
        return "link"
    return "file" if mode in (0, stat.S_IFREG) else "device or pipe"


def _open_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str) -> Readable:
    name = printable(member.filename, 200)
    if member.flag_bits & 0x1:
        raise DataError(f"{shown}: {name} is encrypted; pack it again without a password.")
    if member.compress_type not in ZIP_METHODS:
        raise DataError(
            f"{shown}: {name} is compressed in a way that is not read (method {member.compress_type}); "
            "pack it again as .zip or .tar.gz."
        )
    return cast("Readable", packed.open(member))
