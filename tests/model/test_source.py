"""The exported source: plain PyTorch that gives the same outputs for the same weights, and passes ruff."""

import ast
import subprocess
import sys
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings

from cifartui.errors import UsageError
from cifartui.model.layers import ReLU
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network, network_names
from cifartui.model.source import python_source
from cifartui.model.summary import summarize
from tests.model.chains import chains


def module_from(source: str) -> torch.nn.Module:
    """The module that the source defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "network.py", "exec"), names)
    *_, last = (value for value in names.values() if isinstance(value, type) and value.__module__ == "builtins")
    module = last()
    assert isinstance(module, torch.nn.Module)
    return module


def assert_equal_outputs(network: Network) -> None:
    """Weights go both ways, outputs are equal to the bit."""
    ours, exported = build_module(network).eval(), module_from(python_source(network)).eval()
    exported.load_state_dict(ours.state_dict())
    ours.load_state_dict(exported.state_dict())
    images = torch.rand(2, *network.input)
    with torch.no_grad():
        assert torch.equal(ours(images), exported(images))


@pytest.mark.parametrize("name", network_names())
def test_shipped_networks(name: str) -> None:
    """Every shipped network, and its imports."""
    network = load_network(name)
    assert_equal_outputs(network)
    tree = ast.parse(python_source(network))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"torch"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


@pytest.mark.parametrize("name", ["None", "True", "basic_block", "tensor", "_", "class"])
def test_words_of_python_as_names(name: str) -> None:
    """The class gets another name, and the source runs."""
    assert_equal_outputs(msgspec.structs.replace(load_network("resnet18"), name=name))


def test_words_of_torch_cannot_name_layers() -> None:
    """A layer named as a method of modules is refused in a sentence."""
    with pytest.raises(UsageError, match="forward cannot name a layer"):
        build_module(Network(name="n", layers=(ReLU(name="forward"),)))


@given(chains().filter(lambda chain: bool(chain[0].layers) and not summarize(chain[0]).problem))
@settings(max_examples=50, deadline=None)
def test_random_chains(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Fifty random chains that fit together."""
    assert_equal_outputs(chain[0])


def test_sources_pass_ruff() -> None:
    """Formatted, without findings."""
    for name in network_names():
        source = python_source(load_network(name))
        for command in (("check", "--select", "E,F,I,UP,B", "-"), ("format", "--check", "--line-length", "120", "-")):
            run = [sys.executable, "-m", "ruff", *command]
            ended = subprocess.run(run, input=source, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stdout + ended.stderr
