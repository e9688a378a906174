"""What every kind of layer says of itself holds for the module it stands for."""

import pytest
import torch

from cifartui.model.layers import KINDS, Linear
from cifartui.model.layers.base import Function
from cifartui.model.module import build_chain
from cifartui.model.network import Network
from cifartui.model.source import python_source
from cifartui.model.tracing.translation import layer_of_call, layer_of_module

TORCHS = [kind for kind, layer in KINDS.items() if layer.TORCH_CLASS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_layer_takes_its_input_and_its_source_makes_the_module(kind: str) -> None:
    """With the shape that the arithmetic says, and the same outputs for the same weights."""
    shape = (4,) if KINDS[kind] is Linear else (4, 8, 8)
    layer = KINDS[kind].fresh("layer", shape)
    network, images = Network(name="one", layers=(layer,)), torch.randn(2, *shape)
    module = build_chain(network).eval()
    names: dict[str, type[torch.nn.Module]] = {}
    exec(python_source(network), names)
    written = names["One"]()
    written.load_state_dict(module.state_dict())
    assert module(images).shape[1:] == layer.arithmetic(shape).output
    assert torch.equal(module(images), written.eval()(images))


@pytest.mark.parametrize("kind", TORCHS)
def test_its_module_and_its_function_are_recognised(kind: str) -> None:
    """As the layer itself, under the placeholder's name; functions that are given weights are not."""
    layer = KINDS[kind].fresh("_", (4, 8, 8))
    module = build_chain(Network(name="one", layers=(layer,)))[0]
    assert layer_of_module(module) == layer
    match layer.FUNCTION:
        case Function(name, tuple(arguments)):
            called = {argument: getattr(module, argument) for argument in arguments if hasattr(module, argument)}
            assert layer_of_call(name, tuple(called.values()), {}) == layer
            assert layer_of_call(name, (), called) == layer
        case Function(name, None):
            assert layer_of_call(name, (torch.zeros(4, 4),), {}) is None
