"""The memory estimate is what torch's autograd keeps, to the byte."""

import pytest
import torch
from hypothesis import given, settings
from torch.autograd.graph import saved_tensors_hooks

from cifartui.model.memory import kept_bytes, training_bytes
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network
from cifartui.model.summary import summarize
from tests.model.chains import chains


def kept_by_torch(network: Network, shape: tuple[int, ...], batch_size: int) -> int:
    """Bytes of the distinct tensors that a forward pass in training saves, parameters and buffers left out."""
    module = build_module(network).train()
    own = {tensor.untyped_storage().data_ptr() for tensor in module.state_dict().values()}
    saved: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        address = tensor.untyped_storage().data_ptr()
        if tensor.numel() and address not in own:
            saved[address] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        output = module(torch.rand(batch_size, *shape))
    total = sum(tensor.untyped_storage().nbytes() for tensor in saved.values())
    del output
    return total


@pytest.mark.parametrize("name", ["tutorial", "compact", "resnet18"])
def test_shipped_networks(name: str) -> None:
    """What is kept grows with the batch."""
    network = load_network(name)
    summary = summarize(network)
    for batch_size in (2, 3):
        assert kept_bytes(summary, batch_size) == kept_by_torch(network, network.input, batch_size)
    assert training_bytes(summary, 2) > 3 * 4 * summary.parameters + kept_bytes(summary, 2) - 1


@given(chains())
@settings(max_examples=200, deadline=None)
def test_random_chains(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Every kind of layer, in any order."""
    network, shape = chain
    summary = summarize(network, shape)
    if not summary.problem and network.layers:
        assert kept_bytes(summary, 3) == kept_by_torch(network, shape, 3)
