"""Pixels on their way into a data set, in a file without a name that is gone with the process."""

import os
import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cifartui import home

BLOCK_BYTES = 4 * 1024 * 1024


class PixelSpool:
    """Images of one size, written one after the other and read back in any order."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir=home.datasets_folder(), buffering=0)  # noqa: SIM115  # closed by `close`
        self._waiting = bytearray()
        self._shape: tuple[int, int, int] | None = None

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Write `[H, W, 3]`, of the same size as those before it.

        Raises:
            OSError: the disk is full.
        """
        if self._shape is None:
            self._shape = 3, picture.shape[0], picture.shape[1]
        self._waiting += picture.transpose(2, 0, 1).tobytes()
        if len(self._waiting) >= BLOCK_BYTES:
            self._flush()

    def images(self, positions: NDArray[np.int64], labels: NDArray[np.int64]) -> "SpooledImages":
        """The images at `positions` (`[N]`, in the order of writing), with their labels."""
        assert self._shape
        self._flush()
        return SpooledImages(self, (len(positions), *self._shape), positions, labels)

    def read(self, position: int) -> bytes:
        """The bytes of one image."""
        assert self._shape
        length = int(np.prod(self._shape, dtype=object))
        return os.pread(self._file.fileno(), length, position * length)

    def close(self) -> None:
        """Give its place on the disk back."""
        self._file.close()

    def _flush(self) -> None:
        while self._waiting:
            del self._waiting[: self._file.write(self._waiting)]


class SpooledImages:
    """Labelled images of which a few at a time are in memory."""

    def __init__(
        self,
        spool: PixelSpool,
        shape: tuple[int, int, int, int],
        positions: NDArray[np.int64],
        labels: NDArray[np.int64],
    ) -> None:
        self._spool = spool
        self._positions = positions
        self.shape = shape
        """`N, 3, H, W`."""
        self.labels = labels

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """All images, as many at a time as fit `BLOCK_BYTES`: `[n, 3, H, W]`."""
        _, *image = self.shape
        at_once = max(1, BLOCK_BYTES // int(np.prod(image, dtype=object)))
        for start in range(0, len(self._positions), at_once):
            part = self._positions[start : start + at_once].tolist()
            data = b"".join(self._spool.read(position) for position in part)
            yield np.frombuffer(data, dtype=np.uint8).reshape(-1, *image)
