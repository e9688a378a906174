"""One step of a kernel's walk over its input: what lies under it, and how that becomes one number, without torch."""

from typing import TYPE_CHECKING, NamedTuple

from cifartui.model.layers import Conv2d, MaxPool2d

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ConvStep(NamedTuple):
    """How a convolution makes one value: c channels under a k×k kernel."""

    channels: tuple[int, ...]
    """Indices of the input channels that the filter looks at, `[c]`; of one group, where there are several."""
    rows: tuple[int, ...]
    """Input rows under the kernel, `[k]`; below 0 or past the last in the padding."""
    columns: tuple[int, ...]
    """Input columns under the kernel, `[k]`."""
    patch: "NDArray[np.float32]"
    """The input under the kernel, `[c, k, k]`; 0 in the padding."""
    inside: "NDArray[np.bool_]"
    """`[k, k]`; False in the padding."""
    kernel: "NDArray[np.float32]"
    """The filter's weights, `[c, k, k]`."""
    products: "NDArray[np.float64]"
    """Patch times kernel, value by value, `[c, k, k]`."""
    sums: "NDArray[np.float64]"
    """Of the products of each channel, `[c]`."""
    bias: float
    """0 without one."""
    total: float
    """Sums and bias together: the value of the output."""


class PoolStep(NamedTuple):
    """How a max pool makes one value: one channel under a k×k window."""

    rows: tuple[int, ...]
    """Input rows under the window, `[k]`; below 0 or past the last in the padding."""
    columns: tuple[int, ...]
    """Input columns under the window, `[k]`."""
    patch: "NDArray[np.float32]"
    """The input under the window, `[k, k]`; -inf in the padding."""
    inside: "NDArray[np.bool_]"
    """`[k, k]`; False in the padding."""
    largest: float
    """The value of the output."""
    place: tuple[int, int]
    """Row and column in the patch of the first that is the largest."""


def conv_step(
    layer: Conv2d,
    values: "NDArray[np.float32]",
    weight: "NDArray[np.float32]",
    bias: "NDArray[np.float32] | None",
    filter: int,  # noqa: A002  # the word for it
    row: int,
    column: int,
) -> ConvStep:
    """How `filter` makes the value at `row` and `column` of its output.

    Takes the layer's input `values` `[C, H, W]`, `weight` `[O, C/groups, k, k]` and `bias` `[O]`, if it has one.

    Raises:
        ShapeError: the layer cannot take such values.
        IndexError: its output has no such place.
    """
    import numpy as np

    _require_place(layer, values.shape, filter, row, column)
    width = layer.in_channels // layer.groups
    first = filter // (layer.out_channels // layer.groups) * width
    rows, columns, inside = _under(layer, row, column, layer.dilation, values.shape)
    patch = _patch(values[first : first + width], rows, columns, inside, 0)
    kernel = weight[filter]
    products = patch.astype(np.float64) * kernel
    sums = products.sum(axis=(1, 2))
    added = 0.0 if bias is None else float(bias[filter])
    channels = tuple(range(first, first + width))
    return ConvStep(channels, rows, columns, patch, inside, kernel, products, sums, added, float(sums.sum()) + added)


def pool_step(layer: MaxPool2d, values: "NDArray[np.float32]", channel: int, row: int, column: int) -> PoolStep:
    """How the max pool makes the value at `row` and `column` of `channel`; takes its input `values` `[C, H, W]`.

    Raises:
        ShapeError: the layer cannot take such values.
        IndexError: its output has no such place.
    """
    import numpy as np

    _require_place(layer, values.shape, channel, row, column)
    rows, columns, inside = _under(layer, row, column, 1, values.shape)
    patch = _patch(values[channel : channel + 1], rows, columns, inside, -np.inf)[0]
    candidates = np.flatnonzero(inside)
    flat = int(candidates[np.argmax(patch.ravel()[candidates])])
    place = divmod(flat, layer.kernel_size)
    return PoolStep(rows, columns, patch, inside, float(patch[place]), place)


def _require_place(layer: Conv2d | MaxPool2d, shape: tuple[int, ...], *place: int) -> None:
    output = layer.arithmetic(shape).output
    if not all(0 <= index < size for index, size in zip(place, output, strict=True)):
        raise IndexError(f"{layer.name} gives {output} and has no place {place}")


def _under(
    layer: Conv2d | MaxPool2d, row: int, column: int, dilation: int, shape: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], "NDArray[np.bool_]"]:
    """Rows and columns of the input under the window at one place of the output, and which of them are there."""
    import numpy as np

    taps = [dilation * tap - layer.padding for tap in range(layer.kernel_size)]
    rows = tuple(row * layer.stride + tap for tap in taps)
    columns = tuple(column * layer.stride + tap for tap in taps)
    _, height, width = shape
    inside = np.logical_and.outer([0 <= y < height for y in rows], [0 <= x < width for x in columns])
    return rows, columns, inside


def _patch(
    values: "NDArray[np.float32]",
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    inside: "NDArray[np.bool_]",
    padding: float,
) -> "NDArray[np.float32]":
    import numpy as np

    _, height, width = values.shape
    there = values[:, np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None, :]]
    return np.where(inside, there, np.float32(padding))
