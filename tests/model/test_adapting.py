"""Networks that follow a data set, held against torch."""

import msgspec
import pytest
import torch

from cifartui.model.adapting import adapted
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network, shipped_names
from cifartui.model.summary import require_fit, summarize

TUTORIAL = load_network("tutorial")


@pytest.mark.parametrize("name", sorted(shipped_names()))
@pytest.mark.parametrize(("height", "width", "classes"), [(32, 32, 10), (64, 64, 2), (48, 96, 100), (20, 20, 3)])
def test_every_shipped_network_takes_any_size_and_number_of_classes(
    name: str, height: int, width: int, classes: int
) -> None:
    """The adapted network fits by the arithmetic and by torch."""
    network = adapted(load_network(name), (3, height, width), classes).network
    require_fit(network, (3, height, width), classes)
    with torch.inference_mode():
        assert build_module(network).eval()(torch.zeros(2, 3, height, width)).shape == (2, classes)


def test_a_network_that_fits_is_left_as_it_is() -> None:
    """CIFAR-10 changes nothing of the tutorial's network, so that its weights fit the tutorial's class."""
    assert adapted(TUTORIAL, (3, 32, 32), 10) == (TUTORIAL, ())


def test_changes_are_told_with_their_numbers() -> None:
    """Both changes name the layer, the number and where it comes from."""
    first, last = adapted(TUTORIAL, (3, 64, 64), 2).changes
    assert first == "fc1 takes 2,704 inputs for pictures of 64 × 64 (400 for 32 × 32)"
    assert last == "fc3 gives 2 outputs, one for each class (10 as it was)"


def test_a_mistake_in_the_network_is_not_covered_up() -> None:
    """A number that is wrong for the network's own input stays, to be seen and repaired."""
    layers = list(TUTORIAL.layers)
    layers[0] = msgspec.structs.replace(layers[0], padding=2)
    broken = msgspec.structs.replace(TUTORIAL, layers=tuple(layers))
    assert summarize(broken).problem
    assert summarize(adapted(broken, (3, 64, 64), 2).network).problem


def test_what_has_no_linear_layer_or_is_code_is_not_changed() -> None:
    """There is nothing that could follow."""
    chain = Network(name="chain", layers=TUTORIAL.layers[:3])
    assert adapted(chain, (3, 64, 64), 2).network.layers == chain.layers
    code = Network(name="Net", layers=(), factory="net:Net")
    assert adapted(code, (3, 64, 64), 2) == (msgspec.structs.replace(code, input=(3, 64, 64)), ())
