"""A glimpse of the network that a run trains: filters and answers as they are now, in a small file in its folder.

The file is no part of the journal: it is written over again and again, and can be thrown away at any time. One that is
missing, torn or foreign is passed over.
"""

import os
from typing import TYPE_CHECKING

import msgspec

from cifartui.files import open_file, write_whole
from cifartui.training.run.folder import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
MOST_BYTES = 512 * 1024
"""More than any glimpse takes; a larger file is foreign."""


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kernels of the first convolution, or the first of them."""

    layer: str
    """Its name, such as `conv1`."""
    total: int
    """How many it has; as many as are here, or more."""
    shape: tuple[int, int, int, int]
    """`[N, C, k, k]`, with one channel or with red, green and blue."""
    weights: bytes
    """float16, little-endian."""

    def kernels(self) -> "NDArray[np.float32]":
        """Their weights, `[N, C, k, k]`."""
        import numpy as np

        return np.frombuffer(self.weights, dtype="<f2").reshape(self.shape).astype(np.float32)


class Guess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class and how probable the network says it is."""

    place: int
    """Of the class among the data set's."""
    name: str
    probability: float


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture that the network does not train on, and what the network says it is."""

    place: int
    """Of its class among the data set's."""
    name: str
    """Of its class."""
    guesses: tuple[Guess, ...]
    """The most probable classes, best first."""
    size: tuple[int, int]
    """Height and width; a large picture is shrunk."""
    rgb: bytes

    def pixels(self) -> "NDArray[np.uint8]":
        """The picture, `[H, W, 3]`, RGB."""
        import numpy as np

        return np.frombuffer(self.rgb, dtype=np.uint8).reshape(*self.size, 3)


class Glimpse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds."""

    version: int = VERSION
    step: int
    """After how many steps the network was as is told here."""
    is_average: bool = False
    """Whether it is the average of the weights over the steps, by which the run is judged."""
    filters: Filters | None = None
    """None in a network without convolutions that could be shown."""
    answers: tuple[Answer, ...] = ()
    source: str = ""
    """Which images those of the answers are from, for people: `test images`."""


def write_glimpse(run: Run, glimpse: Glimpse) -> None:
    """Put a glimpse in the place of the former one.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(run.glimpse_file, msgspec.msgpack.encode(glimpse))


class GlimpseReader:
    """Reads the glimpses of a run, each once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._file: tuple[int, ...] = ()
        """What tells the file that was read last from the next one."""
        self._glimpse: Glimpse | None = None

    def read(self) -> Glimpse | None:
        """The latest glimpse; None where there is none."""
        try:
            with open_file(self._run.glimpse_file) as file:
                facts = os.fstat(file.fileno())
                now = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
                if now != self._file:
                    self._file, self._glimpse = now, _decoded(file.read(MOST_BYTES + 1))
        except OSError:
            self._file, self._glimpse = (), None
        return self._glimpse


def _decoded(data: bytes) -> Glimpse | None:
    try:
        glimpse = msgspec.msgpack.decode(data[:MOST_BYTES], type=Glimpse)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return glimpse if _is_whole(glimpse) else None


def _is_whole(glimpse: Glimpse) -> bool:
    """Whether numbers fit the shapes beside them, and are what they are called."""
    if glimpse.version != VERSION or glimpse.step < 0:
        return False
    if glimpse.filters:
        count, channels, height, width = shape = glimpse.filters.shape
        if min(shape) < 1 or channels not in (1, 3) or height != width or count > glimpse.filters.total:
            return False
        if len(glimpse.filters.weights) != 2 * count * channels * height * width:
            return False
    return all(
        min(answer.size) >= 1
        and len(answer.rgb) == 3 * answer.size[0] * answer.size[1]
        and answer.guesses
        and all(0 <= guess.probability <= 1 for guess in answer.guesses)
        for answer in glimpse.answers
    )
