"""One step of a kernel's walk gives the number that torch's module gives at that place."""

import time
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cifartui.inspection.kernel_walk import conv_step, pool_step
from cifartui.model.layers import Conv2d, MaxPool2d
from cifartui.model.shapes import ShapeError


@st.composite
def convolutions(draw: st.DrawFn) -> Conv2d:
    """Convolutions with every setting."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    return Conv2d(
        name="conv",
        in_channels=groups * draw(st.integers(1, 3)),
        out_channels=groups * draw(st.integers(1, 2)),
        kernel_size=draw(st.integers(1, 4)),
        stride=draw(st.integers(1, 3)),
        padding=draw(st.integers(0, 4)),
        dilation=draw(st.integers(1, 3)),
        groups=groups,
        bias=draw(st.booleans()),
    )


@st.composite
def max_pools(draw: st.DrawFn) -> MaxPool2d:
    """Max pools with every setting that torch takes."""
    kernel = draw(st.integers(1, 4))
    return MaxPool2d(
        name="pool", kernel_size=kernel, stride=draw(st.integers(1, 4)), padding=draw(st.integers(0, kernel // 2))
    )


sizes = st.tuples(st.integers(4, 9), st.integers(4, 9))


@given(convolutions(), sizes, st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_every_value_of_a_convolution_is_the_modules(layer: Conv2d, size: tuple[int, int], seed: int) -> None:
    """At every place of every filter, the sum of the products is what the module gives there."""
    generator = torch.Generator().manual_seed(seed)
    module = torch.nn.Conv2d(
        *(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding),
        *(layer.dilation, layer.groups, layer.bias),
    )
    state = {name: torch.randn(tensor.shape, generator=generator) for name, tensor in module.state_dict().items()}
    module.load_state_dict(state)
    images = torch.randn(1, layer.in_channels, *size, generator=generator)
    values, weight = images[0].numpy(), state["weight"].numpy()
    bias = state["bias"].numpy() if layer.bias else None
    try:
        shape = layer.arithmetic(values.shape).output
    except ShapeError:
        with pytest.raises(ShapeError):
            conv_step(layer, values, weight, bias, 0, 0, 0)
        return
    with torch.no_grad():
        expected = module(images)[0].numpy()
    assert expected.shape == shape
    for filter_, row, column in product(*map(range, shape)):
        step = conv_step(layer, values, weight, bias, filter_, row, column)
        magnitude = 1 + np.abs(step.products).sum()
        assert step.total == pytest.approx(expected[filter_, row, column], abs=1e-5 * magnitude)
        assert step.sums.sum() + step.bias == pytest.approx(step.total)
        assert step.patch.dtype == np.float32
        for (y, in_row), (x, in_column) in product(enumerate(step.rows), enumerate(step.columns)):
            there = 0 <= in_row < size[0] and 0 <= in_column < size[1]
            assert step.inside[y, x] == there
            under = values[list(step.channels), in_row, in_column] if there else np.zeros(len(step.channels))
            assert np.array_equal(step.patch[:, y, x], under)


@given(max_pools(), sizes, st.integers(0, 2**32 - 1), st.sampled_from([2, 50]))
@example(MaxPool2d(name="pool", kernel_size=2, stride=2, padding=1), (4, 4), 0, 0)
@settings(max_examples=200, deadline=None)
def test_every_value_of_a_max_pool_is_the_modules(
    layer: MaxPool2d, size: tuple[int, int], seed: int, levels: int
) -> None:
    """Largest value and its place are torch's at every place, also where values are equal or all are -inf."""
    generator = np.random.default_rng(seed)
    values = generator.integers(0, levels + 1, (2, *size)).astype(np.float32) - levels
    values[0, :2, :2] = -np.inf
    module = torch.nn.MaxPool2d(layer.kernel_size, layer.stride, layer.padding, return_indices=True)
    largest, places = (tensor[0].numpy() for tensor in module(torch.from_numpy(values)[None]))
    for channel, row, column in product(*map(range, layer.arithmetic(values.shape).output)):
        step = pool_step(layer, values, channel, row, column)
        assert step.largest == largest[channel, row, column]
        y, x = step.place
        assert step.rows[y] * size[1] + step.columns[x] == places[channel, row, column]
        assert step.patch[y, x] == step.largest
        assert step.inside[y, x]
        assert np.isneginf(step.patch[~step.inside]).all()


def test_a_step_in_the_padding_reads_as_the_tutorial_draws_it() -> None:
    """The corner of a padded 3×3 convolution: row and column -1 lie outside and count as zeros."""
    layer = Conv2d(name="conv", in_channels=1, out_channels=1, kernel_size=3, padding=1)
    values = np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4)
    step = conv_step(layer, values, np.ones((1, 1, 3, 3), np.float32), np.array([0.5], np.float32), 0, 0, 0)
    assert step.rows == step.columns == (-1, 0, 1)
    assert step.patch[0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 5, 6]]
    assert step.inside.tolist() == [[False] * 3, [False, True, True], [False, True, True]]
    assert (step.channels, step.sums.tolist(), step.bias, step.total) == ((0,), [14.0], 0.5, 14.5)


def test_a_filter_of_a_group_looks_at_the_groups_channels() -> None:
    """Six channels in three groups: the filters 2 and 3 look at the channels 2 and 3."""
    layer = Conv2d(name="conv", in_channels=6, out_channels=6, kernel_size=1, groups=3)
    values, weight = np.ones((6, 2, 2), np.float32), np.ones((6, 2, 1, 1), np.float32)
    looked_at = [conv_step(layer, values, weight, None, filter_, 0, 0).channels for filter_ in range(6)]
    assert looked_at == [(0, 1), (0, 1), (2, 3), (2, 3), (4, 5), (4, 5)]


@pytest.mark.parametrize("place", [(6, 0, 0), (0, 28, 0), (0, 0, -1)])
def test_a_place_that_is_not_there_is_refused(place: tuple[int, int, int]) -> None:
    """Past the last filter, past the last row, before the first column."""
    values = np.zeros((3, 32, 32), np.float32)
    conv = Conv2d(name="conv", in_channels=3, out_channels=6, kernel_size=5)
    with pytest.raises(IndexError, match="has no place"):
        conv_step(conv, values, np.zeros((6, 3, 5, 5), np.float32), None, *place)
    with pytest.raises(IndexError, match="has no place"):
        pool_step(MaxPool2d(name="pool", kernel_size=2, stride=2), values, *place)


def test_a_step_is_fast() -> None:
    """512 channels of 3×3 take far less than the 5 ms between two keys that repeat."""
    layer = Conv2d(name="conv", in_channels=512, out_channels=512, kernel_size=3, padding=1)
    values, weight = np.ones((512, 4, 4), np.float32), np.ones((512, 512, 3, 3), np.float32)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        conv_step(layer, values, weight, None, 511, 0, 3)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.005
