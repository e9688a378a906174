"""Writing a safetensors file tensor by tensor, without holding it in memory (https://github.com/huggingface/safetensors)."""

import hashlib
import json
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TYPES = {"int64": "I64", "uint8": "U8"}
"""In the order of the file: the widest first, so that every tensor lies on a multiple of its width."""


class StreamedTensor(NamedTuple):
    """A tensor of which a part at a time is in memory."""

    name: str
    dtype: str
    """One of `TYPES`."""
    shape: tuple[int, ...]
    blocks: "Iterable[NDArray[np.generic]]"
    """Its values from first to last, in arrays of any length."""


class Written(NamedTuple):
    """What a file has become."""

    bytes: int
    sha256: str
    """Hexadecimal."""


def write_tensors(
    target: Path, tensors: Iterable[StreamedTensor]
) -> "Generator[tuple[str, NDArray[np.generic]], None, Written]":
    """Write `target`, byte for byte what the safetensors package writes; yields every block written, with its name.

    Raises:
        OSError: it cannot be written.
    """
    import numpy as np

    ordered = sorted(tensors, key=lambda tensor: (list(TYPES).index(tensor.dtype), tensor.name))
    header, end = {}, 0
    for tensor in ordered:
        start, end = end, end + int(np.prod(tensor.shape, dtype=object)) * np.dtype(tensor.dtype).itemsize
        header[tensor.name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for data in (len(text).to_bytes(8, "little"), text):
            file.write(data)
            digest.update(data)
        for tensor in ordered:
            for block in tensor.blocks:
                values = np.ascontiguousarray(block, dtype=np.dtype(tensor.dtype).newbyteorder("<")).data
                file.write(values)
                digest.update(values)
                yield tensor.name, block
        if file.tell() != 8 + len(text) + end:
            raise ValueError("tensors of other shapes than announced")
    return Written(8 + len(text) + end, digest.hexdigest())
