"""Editing: settings as text and back, layers added, removed and moved, repairs that mend, networks kept by name."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cifartui.errors import UsageError
from cifartui.model.editing import (
    KINDS,
    inserted,
    moved,
    removed,
    repair,
    replaced,
    settings_text,
    with_settings,
)
from cifartui.model.layers import Conv2d
from cifartui.model.network import Network, load_network, network_names, save_network
from cifartui.model.summary import summarize
from tests.model.chains import chains


@given(chains())
@settings(max_examples=200, deadline=None)
def test_settings_survive_the_text(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Every layer is the same after its text is read back."""
    for layer in chain[0].layers:
        assert with_settings(layer, settings_text(layer)) == layer


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kernel_size", "'kernel_size' is not a setting: write it as name=value"),
        ("in_channels=3 out_channels=6 kernel_size=0", "kernel_size = 0 is not allowed"),
        ("in_channels=3 out_channels=6 kernel_size=5 color=1", "color is not a setting; allowed here"),
        ("in_channels=3 out_channels=-1 kernel_size=5", "out_channels = -1 is not allowed"),
        ("in_channels=3 out_channels=x kernel_size=5", "out_channels = 'x' is not allowed"),
        ("in_channels=3 out_channels=6 kernel_size=99999999999999999999", "is not allowed"),
    ],
)
def test_wrong_settings_are_told(text: str, sentence: str) -> None:
    """One sentence that names setting and value."""
    conv1 = load_network("tutorial").layers[0]
    with pytest.raises(UsageError) as caught:
        with_settings(conv1, text)
    assert sentence in str(caught.value)


def test_what_is_not_named_stays() -> None:
    """One setting is enough."""
    conv1 = load_network("tutorial").layers[0]
    assert with_settings(conv1, "kernel_size=3") == msgspec.structs.replace(conv1, kernel_size=3)


@given(chains(), st.sampled_from(sorted(KINDS)), st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_added_layers_have_names_of_their_own_and_can_be_removed(
    chain: tuple[Network, tuple[int, int, int]], kind: str, place: int
) -> None:
    """A layer added anywhere leaves the others as they were, and removing it gives the network back."""
    network, shape = chain
    position = min(place, len(network.layers))
    added = inserted(network, position, kind, shape)
    assert len({layer.name for layer in added.layers}) == len(network.layers) + 1
    assert removed(added, position) == network


@given(chains(), st.integers(0, 5), st.sampled_from([-1, 1]))
@settings(max_examples=200, deadline=None)
def test_moving_there_and_back(chain: tuple[Network, tuple[int, int, int]], place: int, direction: int) -> None:
    """The layer is one place further, and moved back the network is the same."""
    network, _ = chain
    if network.layers:
        position = min(place, len(network.layers) - 1)
        changed, there = moved(network, position, direction)
        assert changed.layers[there] == network.layers[position]
        assert sorted(layer.name for layer in changed.layers) == sorted(layer.name for layer in network.layers)
        if there != position:
            assert moved(changed, there, -direction) == (network, position)


def test_sequences_stay_whole() -> None:
    """Members keep their numbers in order, a layer of its own passes all of them, and the file can be read again."""
    network = load_network("resnet18")
    names = [layer.name for layer in network.layers]
    relu = names.index("relu")
    passed, place = moved(network, relu, 1)
    assert [layer.name for layer in passed.layers][place - 2 : place + 2] == [
        "layer1.0",
        "layer1.1",
        "relu",
        "layer2.0",
    ]
    swapped, place = moved(network, relu + 1, 1)
    assert [layer.name for layer in swapped.layers] == names
    assert place == relu + 2
    assert moved(network, relu + 2, 1) == (network, relu + 2)
    longer = inserted(network, relu + 2, "basic_block", (64, 32, 32))
    assert [layer.name for layer in longer.layers][relu + 1 : relu + 4] == ["layer1.0", "layer1.1", "layer1.2"]
    shorter = removed(longer, relu + 1)
    assert [layer.name for layer in shorter.layers] == names
    save_network(msgspec.structs.replace(longer, name="longer"))
    assert load_network("longer").layers == longer.layers


@given(chains())
@settings(max_examples=500, deadline=None)
def test_repair_lets_the_chain_go_on(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Where a repair is offered, the chain with it is longer by at least that layer."""
    network, _ = chain
    summary = summarize(network)
    mended = repair(summary)
    if mended:
        position = len(summary.operations)
        assert len(summarize(replaced(network, position, mended)).operations) > position


def test_the_tutorials_mistake_is_repaired() -> None:
    """A larger first kernel makes fc1 expect too much; the repair sets what flatten gives."""
    network = load_network("tutorial")
    conv1 = network.layers[0]
    assert isinstance(conv1, Conv2d)
    broken = summarize(
        replaced(network, 0, with_settings(conv1, "in_channels=3 out_channels=6 kernel_size=5 padding=2"))
    )
    assert broken.problem == "fc1 expects 400 inputs; flatten gives 16·6·6 = 576."
    mended = repair(broken)
    assert mended
    assert settings_text(mended) == "in_features=576 out_features=120"


def test_saved_networks_are_listed_and_loaded() -> None:
    """Under its own name; shipped names and impossible ones are refused."""
    network = load_network("tutorial")
    mine = Network(name="mine", input=network.input, layers=network.layers)
    save_network(mine)
    assert "mine" in network_names()
    assert load_network("mine") == mine
    with pytest.raises(UsageError, match="tutorial comes with the program"):
        save_network(network)
    with pytest.raises(UsageError, match="cannot name a network"):
        save_network(Network(name="../mine", layers=network.layers))
