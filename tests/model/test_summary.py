"""The arithmetic of shapes agrees with torch, and its numbers are the tutorial's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cifartui.model.layers import AnyLayer, Conv2d, Flatten, Linear, MaxPool2d, ReLU, ShapeError
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network
from cifartui.model.summary import require_fit, summarize
from tests.tutorial import Net


def test_tutorial_has_twelve_operations_and_the_known_numbers() -> None:
    """Twelve operations, 62,006 parameters, 400 inputs to fc1, each with its formula."""
    summary = summarize(load_network("tutorial"))
    by_name = {operation.layer.name: operation.arithmetic for operation in summary.operations}
    assert len(summary.operations) == 12
    assert summary.parameters == 62_006
    assert summary.macs == 651_720
    assert by_name["conv1"].formula == "⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28"
    assert by_name["conv1"].parameters_formula == "(5·5·3 + 1)·6 = 456"
    assert by_name["flatten"].formula == "16·5·5 = 400"
    assert summary.output == (10,)


def test_module_starts_with_the_weights_of_the_tutorials_class() -> None:
    """The same seed gives the same names, shapes and initial values as the hand-written class."""
    torch.manual_seed(5)
    ours = build_module(load_network("tutorial")).state_dict()
    torch.manual_seed(5)
    theirs = Net().state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Network, tuple[int, int, int]]:
    """Random chains of convolutions, poolings and linear layers; most fit together, some do not."""
    shape = (draw(st.integers(1, 4)), draw(st.integers(4, 20)), draw(st.integers(4, 20)))
    channels, layers = shape[0], list[AnyLayer]()
    for position in range(draw(st.integers(0, 4))):
        name = f"layer{position}"
        match draw(st.sampled_from(["conv2d", "max_pool2d", "relu"])):
            case "conv2d":
                wrong = draw(st.sampled_from([0, 0, 0, 1]))
                out = draw(st.integers(1, 5))
                kernel, stride, padding = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
                layers.append(
                    Conv2d(
                        name=name,
                        in_channels=channels + wrong,
                        out_channels=out,
                        kernel_size=kernel,
                        stride=stride,
                        padding=padding,
                    )
                )
                channels = out
            case "max_pool2d":
                layers.append(MaxPool2d(name=name, kernel_size=draw(st.integers(1, 4)), stride=draw(st.integers(1, 3))))
            case _:
                layers.append(ReLU(name=name))
    if draw(st.booleans()):
        layers.append(Flatten(name="flatten"))
        given_features = summarize(Network(name="prefix", layers=tuple(layers)), shape).output
        wrong = draw(st.sampled_from([0, 0, 1]))
        features = (given_features[0] if len(given_features) == 1 else 7) + wrong
        layers.append(Linear(name="fc", in_features=features, out_features=draw(st.integers(1, 8))))
    return Network(name="chain", layers=tuple(layers)), shape


@given(chains())
@settings(max_examples=300, deadline=None)
def test_arithmetic_agrees_with_torch(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Shapes and parameter counts equal torch's, and where torch raises, the same layer is named."""
    network, shape = chain
    summary = summarize(network, shape)
    module = build_module(network)
    activations = torch.zeros(1, *shape)
    for position, layer in enumerate(module):
        try:
            activations = layer(activations)
        except RuntimeError:
            assert summary.problem.startswith(network.layers[position].name)
            assert len(summary.operations) == position
            return
        assert summary.operations[position].arithmetic.output == tuple(activations.shape[1:])
        assert summary.operations[position].arithmetic.parameters == sum(p.numel() for p in layer.parameters())
    assert summary.problem == ""


def test_images_that_do_not_fit_are_refused_by_the_name_of_the_layer() -> None:
    """64×64 images break the tutorial's network at fc1, three classes at its end."""
    network = load_network("tutorial")
    with pytest.raises(ShapeError, match="fc1 expects 400 inputs; it is given 2704 inputs"):
        require_fit(network, (3, 64, 64), 10)
    with pytest.raises(ShapeError, match="10 outputs and the data set 3 classes"):
        require_fit(network, (3, 32, 32), 3)
