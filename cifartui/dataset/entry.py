"""One file or folder within a source, whatever the source is; its bytes are read in place."""

import errno
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Literal, Protocol

from cifartui.errors import DataError
from cifartui.text import printable

MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_BATCH_BYTES = 160 * 1024 * 1024
"""The largest of CIFAR's own files, `train` of CIFAR-100, has 155,249,918 bytes."""
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, RecursionError),
    *(ValueError, OverflowError, LookupError, struct.error),  # what the archive modules let through
)

Kind = Literal["folder", "file", "link", "hard link", "device or pipe"]


class Readable(Protocol):
    """What the bytes of an entry are read from."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, or all that are left."""

    def close(self) -> None:
        """Let go of it."""


class Entry:
    """One folder or file within a source; its bytes are there until the next entry is taken."""

    def __init__(
        self, path: PurePosixPath, kind: Kind, source: str, size: int = 0, opened: Callable[[], Readable] | None = None
    ) -> None:
        self.path = path
        """Relative to the source."""
        self.kind = kind
        self.size = size
        """Bytes."""
        self.is_used = False
        """Whether it is taken in, not passed over."""
        self._source = source
        self._opened = opened
        self._file: Readable | None = None
        self._head = b""

    @property
    def where(self) -> str:
        """The source and the place in it, fit to be shown."""
        return f"{self._source}: {printable(str(self.path), 200)}"

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or fewer of a shorter file.

        Raises:
            DataError: the archive is damaged.
        """
        with sentences(self._source, lambda: printable(str(self.path), 200)):
            if len(self._head) < size:
                self._head += self._open().read(size - len(self._head))
        return self._head[:size]

    def read(self, limit: int = MAX_PICTURE_BYTES) -> bytes:
        """The file's bytes.

        Raises:
            DataError: the file is larger than `limit` bytes, or shorter than announced.
        """
        if self.size > limit:
            raise DataError(f"{self.where} has {self.size:,} bytes, more than any file of images; take it out.")
        self.is_used = True
        with sentences(self._source, lambda: printable(str(self.path), 200)):
            rest = self._open().read(self.size - len(self._head) + 1)
        data = self._head + rest if self._head else rest
        if len(data) != self.size:
            raise DataError(f"{self.where} has {len(data):,} bytes and should have {self.size:,}; get it again.")
        self._head = data
        return data

    def close(self) -> None:
        """Let go of the bytes."""
        if self._file:
            self._file.close()
        self._head = b""

    def _open(self) -> Readable:
        if self._file is None:
            assert self._opened
            self._file = self._opened()
        return self._file


@contextmanager
def sentences(shown: str, last: Callable[[], str]) -> Iterator[None]:
    """Turn what the archive modules raise into sentences; `last` names the place that was reached."""
    try:
        yield
    except PermissionError as error:
        place = printable(str(error.filename or last()), 200)
        raise DataError(f"{place} cannot be read: permission denied; check who may read it.") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # the decompressors' own errors have no number
            raise
        raise damaged(shown, last()) from error
    except _DAMAGE as error:
        raise damaged(shown, last()) from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: an unknown compression, an encrypted member
        raise DataError(f"{shown}: {last()} cannot be unpacked; pack it again as .zip or .tar.gz.") from error


def damaged(shown: str, last: str) -> DataError:
    """What is said of an archive that cannot be read on."""
    return DataError(f"{shown} is truncated, damaged or no archive (after {last}); get it again.")
