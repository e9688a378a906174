"""What every operation of a network makes of some pictures, as it lies in a file; read without torch.

Tensors: `pictures` uint8 `[N, H, W, 3]`; `input` float32 `[N, C, H, W]`; `output/<operation>` float32 `[N, *shape]`;
`input/<operation>` of convolutions and max pools; `weight/<name>` for the state_dict. The facts are the metadata.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cifartui.errors import DataError
from cifartui.model.layers import Conv2d, MaxPool2d
from cifartui.model.network import Network
from cifartui.model.shapes import Shape
from cifartui.model.summary import Operation, Summary, summarize
from cifartui.text import printable
from cifartui.training.recipes.parts import Normalize

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FACTS = "facts"
"""The key of the metadata."""


class PictureFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which picture it is."""

    name: str
    """For people: `horse #17`, or the name of a file."""
    label: int | None = None
    """Index into the class names; None where it is not known."""
    position: int | None = None
    """Position in its split of the data set; None for a file of the user's own."""


class ActivationFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What made the numbers of the file."""

    network: Network
    weights: str
    """For people: `fresh weights, seed 1`, `RUN@STEP` or the path of a file."""
    normalize: Normalize
    pictures: tuple[PictureFacts, ...]
    classes: tuple[str, ...] = ()
    """Names of the classes; empty where they are not known."""


@dataclass(frozen=True)
class ActivationFile:
    """A file of activations; each method reads what it gives, and nothing else of the file."""

    path: Path
    facts: ActivationFacts
    shape: Shape
    """`(C, H, W)` of a picture as the network takes it."""

    @property
    def summary(self) -> Summary:
        """The operations whose outputs are in the file."""
        return summarize(self.facts.network, self.shape)

    def picture(self, n: int) -> "NDArray[np.uint8]":
        """Picture `n`, `[H, W, 3]`, RGB.

        Raises:
            DataError: it is not in the file, or the file is damaged.
        """
        pixels: NDArray[np.uint8] = self._read("pictures", n)
        return pixels

    def network_input(self, n: int) -> "NDArray[np.float32]":
        """Picture `n` as the network takes it, normalised, `[C, H, W]`.

        Raises:
            DataError: it is not in the file, or the file is damaged.
        """
        values: NDArray[np.float32] = self._read("input", n)
        return values

    def input_of(self, name: str, n: int) -> "NDArray[np.float32]":
        """What the convolution or max pool `name` is given for picture `n`, `[C, H, W]`.

        Raises:
            DataError: it is not in the file, or the file is damaged.
        """
        values: NDArray[np.float32] = self._read(f"input/{name}", n)
        return values

    def output_of(self, name: str, n: int) -> "NDArray[np.float32]":
        """What the operation `name` makes of picture `n`, `[C, H, W]` or `[features]`.

        Raises:
            DataError: it is not in the file, or the file is damaged.
        """
        values: NDArray[np.float32] = self._read(f"output/{name}", n)
        return values

    def weight(self, name: str) -> "NDArray[Any]":
        """The tensor of the state_dict's `name`, such as `conv1.weight`.

        Raises:
            DataError: it is not in the file, or the file is damaged.
        """
        return self._read(f"weight/{name}")

    def has_weight(self, name: str) -> bool:
        """Whether the state_dict has `name`; a convolution without bias has no `conv1.bias`.

        Raises:
            DataError: the file is damaged.
        """
        with _opened(self.path) as file:
            return f"weight/{name}" in file.keys()  # noqa: SIM118  # not a dict

    def _read(self, tensor: str, n: int | None = None) -> "NDArray[Any]":
        with _opened(self.path) as file:
            if tensor not in file.keys():  # noqa: SIM118  # not a dict
                raise DataError(f"{printable(str(self.path))} holds no {printable(tensor, 80)}; make it again.")
            if n is None:
                whole: NDArray[Any] = file.get_tensor(tensor)
                return whole
            if not 0 <= n < len(self.facts.pictures):
                raise DataError(f"{printable(str(self.path))} holds no picture {n}; it has {len(self.facts.pictures)}.")
            one: NDArray[Any] = file.get_slice(tensor)[n]
            return one


def read_activations(path: Path) -> ActivationFile:
    """Open a file of activations and check that all is in it that its facts promise.

    Raises:
        DataError: there is no such file, or it is damaged or another one.
    """
    with _opened(path) as file:
        facts = _clean(msgspec.json.decode((file.metadata() or {}).get(FACTS, ""), type=ActivationFacts))
        if facts.network.factory:
            raise ValueError("its network is no chain of layers")
        _, *shape = file.get_slice("input").get_shape()
        opened = ActivationFile(path, facts, tuple(shape))
        for tensor, dtype, expected in _promised(opened):
            there = file.get_slice(tensor)
            if (there.get_dtype(), tuple(there.get_shape())) != (dtype, expected):
                raise ValueError(f"{tensor} is not as its facts say")
        for picture in facts.pictures:
            if picture.label is not None and not 0 <= picture.label < len(facts.classes):
                raise ValueError(f"there is no class {picture.label}")
        return opened


def with_inner(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations in order, each block before those that it consists of."""
    for operation in operations:
        yield operation
        yield from operation.inner


def _promised(activations: ActivationFile) -> Iterator[tuple[str, str, Shape]]:
    """Name, type and shape of every tensor whose shape the arithmetic tells."""
    count = len(activations.facts.pictures)
    channels, height, width = activations.shape
    yield "pictures", "U8", (count, height, width, 3)
    yield "input", "F32", (count, channels, height, width)
    for operation in with_inner(activations.summary.operations):
        layer = operation.layer
        yield f"output/{layer.name}", "F32", (count, *operation.arithmetic.output)
        if isinstance(layer, Conv2d | MaxPool2d):
            yield f"input/{layer.name}", "F32", (count, *operation.input)
        if isinstance(layer, Conv2d):
            size = (layer.in_channels // layer.groups, layer.kernel_size, layer.kernel_size)
            yield f"weight/{layer.name}.weight", "F32", (layer.out_channels, *size)
            if layer.bias:
                yield f"weight/{layer.name}.bias", "F32", (layer.out_channels,)


def _clean(facts: ActivationFacts) -> ActivationFacts:
    """The facts with names that are fit to be shown: the file may come from elsewhere."""
    return msgspec.structs.replace(
        facts,
        weights=printable(facts.weights, 200),
        pictures=tuple(msgspec.structs.replace(one, name=printable(one.name, 80)) for one in facts.pictures),
        classes=tuple(printable(name, 40) for name in facts.classes),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    shown = printable(str(path))
    if not path.is_file():
        raise DataError(f"There is no file {shown}; check the path.")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError, msgspec.MsgspecError, ValueError) as error:
        reason = printable(str(error), 200)
        raise DataError(f"{shown} is no file of activations, or is damaged ({reason}); make it again.") from error
