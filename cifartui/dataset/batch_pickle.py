"""Reads the pickled batches of CIFAR without unpickling anything but numbers, text, lists and one array of bytes.

No class or function of numpy is reached: even its harmless-looking ones can be led to read memory that is not theirs.
"""

import io
import pickle
import pickletools
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifartui.errors import DataError
from cifartui.text import printable

MAX_OPCODES = 1_000_000
"""A batch of 10,000 images has some 60,000."""
PROTOCOL, STOP = b"\x80", b"."
"""How pickles begin and end."""
MAX_CONTAINERS = 100
"""Tuples, lists and dictionaries; nested ones would exhaust the stack."""
_CONTAINERS = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "LIST", "EMPTY_DICT", "DICT"}
_PLAIN = {
    *("PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "REDUCE", "BUILD", "GLOBAL", "STACK_GLOBAL"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "APPEND", "APPENDS", "SETITEM", "SETITEMS"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "MEMOIZE"),
}
_MEMO = {"PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"}


class ByteArray:
    """What stands for a numpy array of bytes: its shape and its bytes."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._data = b""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran_order, data = state
        plain_shape = isinstance(shape, tuple) and all(type(side) is int and 0 < side < 2**32 for side in shape)
        if not (plain_shape and isinstance(dtype, _ByteType) and not fortran_order and type(data) is bytes):
            raise DataError("holds an array that is none of bytes")
        if prod(shape) != len(data):
            raise DataError("holds an array of another size than its shape")
        self._shape, self._data = shape, data

    def pixels(self) -> NDArray[np.uint8]:
        """The array, read-only."""
        return np.frombuffer(self._data, dtype=np.uint8).reshape(self._shape)


class _ByteType:
    """What stands for the element type "unsigned byte", and for no other."""

    def __init__(self, name: Any, *_: Any) -> None:
        if name not in ("u1", b"u1"):
            raise DataError(f"holds an array of {printable(str(name), 20)}, not of bytes")

    def __setstate__(self, state: Any) -> None:
        """Its byte order and alignment, which a byte does not have."""


def _reconstruct(*_: Any) -> ByteArray:
    return ByteArray()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise DataError("holds text in an encoding that no batch has")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _ByteType,
    ("numpy", "ndarray"): None,  # named as the first argument of `_reconstruct`, never called
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise DataError(f"wants to run {printable(f'{module}.{name}', 80)}, which no batch needs; do not trust it")
        return _STAND_INS[module, name]


def read_batch(data: bytes, where: str) -> dict[Any, Any]:
    """The dictionary of a batch, its keys bytes or text; its array is a `ByteArray`.

    Raises:
        DataError: it is no pickle, or one with anything in it that no batch has; `where` opens the sentence.
    """
    if data.startswith(PROTOCOL) and not data.endswith(STOP):
        raise DataError(f"{where} is cut short after {len(data):,} bytes; get it again.")
    try:
        _look_through(data)
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except DataError as error:
        raise DataError(f"{where} {error}; get it again.") from error
    except Exception as error:  # a hostile pickle can raise anything
        raise DataError(f"{where} is damaged or no batch of CIFAR; get it again.") from error
    if not isinstance(content, dict):
        raise DataError(f"{where} holds no batch of CIFAR; get it again.")
    return content


def _look_through(data: bytes) -> None:
    """Refuse, before anything is built, what would take much time, memory or stack."""
    containers = 0
    for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in _CONTAINERS:
            containers += 1
        elif opcode.name in _MEMO:
            if int(argument or 0) > MAX_OPCODES:
                raise DataError("is made to fill the memory")
        elif opcode.name not in _PLAIN:
            raise DataError(f"has the instruction {opcode.name}, which no batch needs")
        if number > MAX_OPCODES or containers > MAX_CONTAINERS:
            raise DataError("has more in it than any batch")
