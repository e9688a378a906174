"""The network drawn to scale: which volumes there are, how large and where they stand, and which one is marked."""

from itertools import pairwise

import msgspec
import pytest

from cifartui.model.network import load_network, shipped_names
from cifartui.model.summary import Summary, summarize
from cifartui.tui.widgets.layer_rows import layer_rows
from cifartui.tui.widgets.network_figures import FACE, WINDOW, Figure, figures_of, painted
from cifartui.tui.widgets.volumes import BLOCK, BROKEN, INPUT, OUTPUT, UNKNOWN, Volume, volumes_of

COLUMNS, PIXELS = 110, 40


def volumes(summary: Summary, *opened: str) -> list[Volume]:
    """Of the table's lines with some of them opened."""
    return volumes_of(layer_rows(summary, frozenset(opened)), summary)


def figures(name: str) -> list[Figure]:
    """Of a shipped network, in a panel of a terminal of 160 columns."""
    return figures_of(volumes(summarize(load_network(name))), COLUMNS, PIXELS)


def test_layers_that_keep_the_shape_stand_with_the_one_before() -> None:
    """The tutorial's twelve layers and the input are nine volumes; each line of the table belongs to one of them."""
    found = volumes(summarize(load_network("tutorial")))
    names = ["input", "conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc2", "fc3"]
    assert [volume.name for volume in found] == names
    assert found[1].followers == ("relu1",)
    assert found[1].stands_for("relu1")
    assert [volume.kind for volume in (found[0], found[-1])] == [INPUT, OUTPUT]
    lines = [line for volume in found for line in (volume.maker, *volume.followers)]
    assert lines == ["", *(layer.name for layer in load_network("tutorial").layers)]


def test_sequences_are_one_volume_until_they_are_opened_and_blocks_always_are() -> None:
    """ResNet-18: four sequences of two blocks; what is within a block belongs to the block's volume."""
    summary = summarize(load_network("resnet18"))
    closed = volumes(summary)
    assert [volume.name for volume in closed if volume.kind == BLOCK] == ["layer1", "layer2", "layer3", "layer4"]
    assert closed[3].note == "2 blocks"
    opened = volumes(summary, "layer2", "layer2.0")
    assert [volume.name for volume in opened][3:6] == ["layer2.0", "layer2.1", "layer3"]
    assert opened[3].maker == "layer2.0"
    assert all(opened[3].stands_for(line) for line in ("layer2", "layer2.0", "layer2.0.downsample.0"))
    assert all(volume.has_shortcut for volume in opened if volume.kind == BLOCK)


def test_a_broken_chain_shows_where_it_breaks() -> None:
    """The layer that does not fit says what it takes; those after it have no size."""
    network = load_network("tutorial")
    padded = msgspec.structs.replace(network.layers[0], padding=2)
    found = volumes(summarize(msgspec.structs.replace(network, layers=(padded, *network.layers[1:]))))
    broken = next(number for number, volume in enumerate(found) if volume.kind == BROKEN)
    assert (found[broken].name, found[broken].note) == ("fc1", "takes 400")
    assert {volume.kind for volume in found[broken + 1 :]} == {UNKNOWN}
    assert any(volume.shape == (576,) for volume in found[:broken])


@pytest.mark.parametrize("name", sorted(shipped_names()))
@pytest.mark.parametrize(("columns", "pixels"), [(COLUMNS, PIXELS), (58, 12), (20, 6)])
def test_every_network_stands_on_the_floor_without_overlaps(name: str, columns: int, pixels: int) -> None:
    """No figure is higher than the panel or runs into the next one's place, and every face is seen."""
    found = figures_of(volumes(summarize(load_network(name))), columns, pixels)
    for figure, following in pairwise(found):
        assert figure.left + figure.cells < following.left
    for figure in found:
        assert figure.left <= figure.face_left
        assert figure.face_left + figure.width + figure.depth <= figure.left + figure.cells
        assert figure.height >= 1
        assert figure.height + figure.depth <= pixels
    rows = painted(found, pixels, None, window=False)
    assert all(rows[-1][figure.face_left] is not None for figure in found)


def test_sides_are_to_scale() -> None:
    """A side of half as many pixels is half as long."""
    by_name = {figure.volume.name: figure for figure in figures("tutorial")}
    assert abs(by_name["conv1"].width - 2 * by_name["pool1"].width) <= 1
    assert abs(by_name["conv2"].height - 2 * by_name["pool2"].height) <= 1
    assert by_name["input"].width == by_name["input"].height


def test_the_marked_volume_and_its_window_are_painted_apart() -> None:
    """The 5×5 window of conv2 is seen on the maps that it slides over; only the marked volume is marked."""
    found = figures("tutorial")
    rows = painted(found, PIXELS, 3, window=True)
    inks = [ink for row in rows for ink in row if ink]
    assert {ink.kind for ink in inks if ink.is_marked and ink.part == FACE} == {"convolution"}
    before, after = found[2], found[3]
    looked = [(y, x) for y, row in enumerate(rows) for x, ink in enumerate(row) if ink and ink.part == WINDOW]
    assert {x < after.left for _, x in looked} == {True, False}
    across = {x for _, x in looked if x < after.left}
    assert abs(len(across) - 5 * before.width / 14) <= 1
    assert not any(ink and ink.part == WINDOW for row in painted(found, PIXELS, 3, window=False) for ink in row)
