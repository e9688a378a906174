"""Compressed files read from their beginning to their end, checksums included."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO, Protocol

BLOCK_BYTES = 64 * 1024


class _Decompressor(Protocol):
    """What the decompressors of bzip2 and xz have."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class _Gzip:
    """Python's gzip decompressor with the manners of those of bzip2 and xz."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


_STREAMS: Mapping[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lzma.LZMADecompressor,
    b"\x5d\0\0": lzma.LZMADecompressor,
}
"""How streams begin, and what reads them."""


class SequentialFile:
    """A file, compressed (gzip, bzip2, xz, lzma) or not, that is read from its beginning to its end, never back.

    Streams that follow one another are one; what follows the last one and is none, padding for example, is passed over.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = file.read(BLOCK_BYTES)
        self._magic = next((magic for magic in _STREAMS if self._packed.startswith(magic)), b"")
        self._stream = self._new_stream() if self._magic else None
        self._block = b""
        self._used = 0
        """Bytes of the block that were given."""
        self._position = 0

    @property
    def is_compressed(self) -> bool:
        """Whether passing over bytes costs as much as reading them."""
        return bool(self._magic)

    def tell(self) -> int:
        """Bytes read so far, decompressed."""
        return self._position

    def seek(self, position: int) -> int:
        """Read on to `position`."""
        if position < self._position:
            raise ValueError("cannot go back")
        while self._position < position and self.read(min(position - self._position, 1024 * 1024)):
            pass
        return self._position

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end.

        Raises:
            EOFError: a compressed stream is cut short.
            OSError, zlib.error, lzma.LZMAError: it is damaged.
        """
        whole = io.BytesIO()  # which gives its bytes without a copy, and the blocks need not all be there at once
        while (missing := size - whole.tell()) > 0:
            if self._used == len(self._block):
                self._block, self._used = self._next(), 0
                if not self._block:
                    break
            self._used += whole.write(self._block[self._used : self._used + missing])
        self._position += whole.tell()
        return whole.getvalue()

    def _new_stream(self) -> _Decompressor:
        return _STREAMS[self._magic]()

    def _next(self) -> bytes:
        if not self._magic:
            block, self._packed = self._packed or self._file.read(BLOCK_BYTES), b""
            return block
        while self._stream:
            packed = self._packed
            if not packed and self._stream.needs_input:
                packed = self._file.read(BLOCK_BYTES)
            self._packed = b""
            block = self._stream.decompress(packed, BLOCK_BYTES)
            if self._stream.eof:
                self._packed = self._following(self._stream.unused_data)
                self._stream = self._new_stream() if self._packed else None
            elif not packed and not block:
                raise EOFError("cut short")
            if block:
                return block
        return b""

    def _following(self, rest: bytes) -> bytes:
        """What stands after a stream, without zeros before it, if it begins another stream; else nothing."""
        while not (rest := rest.lstrip(b"\0")):
            rest = self._file.read(BLOCK_BYTES)
            if not rest:
                return b""
        while len(rest) < len(self._magic) and (more := self._file.read(BLOCK_BYTES)):
            rest += more
        return rest if rest.startswith(self._magic) else b""
