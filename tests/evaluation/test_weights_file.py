"""Weights that somebody else saved: what is mechanical is read, what cannot be meant is a sentence that names it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from cifartui.errors import DataError
from cifartui.evaluation.subject import load_subject, names_file
from cifartui.evaluation.weights_file import read_weights_file, unwrapped
from tests.tutorial import Net

NAME = "fc3.bias"


def _state(**changes: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    return dict(Net().state_dict()) | changes


def _saved(tmp_path: Path, content: object) -> str:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    return str(path)


def _refused(path: str) -> str:
    """The sentence that a file is refused with."""
    with pytest.raises(DataError, match=Path(path).name) as caught:
        load_subject(path)
    sentence = str(caught.value)
    assert sentence.count("\n") == 0
    return sentence


def _quantized() -> torch.Tensor:
    return torch.quantize_per_tensor(torch.ones(10), 0.1, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.ones(10).to_sparse(), "fc3.bias is sparse or nested; save its to_dense()"),
        (lambda: torch.ones(1, 10).to_sparse_csr(), "fc3.bias is sparse or nested"),
        (lambda: torch.nested.nested_tensor([torch.ones(4), torch.ones(6)]), "sparse or nested|more than tensors"),
        (_quantized, "fc3.bias is quantized; save its dequantize()"),
        (lambda: torch.ones(10, device="meta"), "fc3.bias has a shape and no numbers"),
        (lambda: torch.ones(10, dtype=torch.complex64), "fc3.bias is of type complex64 and should be float32"),
        (lambda: torch.ones(10, dtype=torch.bool), "fc3.bias is of type bool and should be float32"),
        (lambda: torch.ones(10).to(torch.float8_e4m3fn), "fc3.bias is of type float8_e4m3fn and should be float32"),
        (lambda: torch.ones(10, dtype=torch.int8), "fc3.bias is of type int8 and should be float32"),
        (lambda: torch.full((10,), float("nan")), "fc3.bias holds values that are not finite numbers"),
        (lambda: torch.full((10,), float("-inf")), "fc3.bias holds values that are not finite numbers"),
        (lambda: torch.full((10,), 1e300, dtype=torch.float64), "fc3.bias holds values that are not finite numbers"),
    ],
)
def test_tensors_that_are_no_weights_are_named(tmp_path: Path, make: Callable[[], torch.Tensor], words: str) -> None:
    """Layouts, devices, types and values that a network cannot take; never an unexpected exception."""
    sentence = _refused(_saved(tmp_path, _state(**{NAME: make()})))
    assert any(word in sentence for word in words.split("|")), sentence


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_converted(tmp_path: Path, dtype: torch.dtype) -> None:
    """Half and double precision become single."""
    path = _saved(tmp_path, {name: tensor.to(dtype) for name, tensor in _state().items()})
    weights = load_subject(path).module.state_dict()
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert torch.allclose(weights["fc1.weight"], _state()["fc1.weight"], atol=1e-2)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {"epoch": 3, "model_state_dict": state, "loss": 0.4},
        lambda state: {"state_dict": {f"model.{name}": tensor for name, tensor in state.items()}, "global_step": 7},
        lambda state: {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()},
    ],
    ids=["DataParallel", "state_dict", "model_state_dict", "Lightning", "compiled"],
)
def test_wrapped_weights_are_read(tmp_path: Path, wrap: Callable[[dict[str, Any]], object]) -> None:
    """What DataParallel, checkpoints of other programs, Lightning and torch.compile save."""
    weights = load_subject(_saved(tmp_path, wrap(_state()))).module.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in _state().items())


def test_names_that_the_network_has_are_left_alone() -> None:
    """A network whose own layers are under `model` keeps its names, and one name without the prefix keeps all."""
    tensor = torch.ones(1)
    assert set(unwrapped({"model.a": tensor}, ["model.a", "model.b"])) == {"model.a"}
    assert set(unwrapped({"module.model.a": tensor}, ["model.a"])) == {"model.a"}
    assert set(unwrapped({"module.a": tensor, "b": tensor}, ["a", "b"])) == {"module.a", "b"}


def test_state_of_an_optimizer_is_no_network(tmp_path: Path) -> None:
    """The file beside the weights, taken for them."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    sentence = _refused(_saved(tmp_path, optimizer.state_dict()))
    assert "holds the state of an optimizer and no weights" in sentence


def test_safetensors_file_of_too_many_tensors_is_refused_by_its_header(tmp_path: Path) -> None:
    """Three hundred thousand tensors: nothing of them is read."""
    header = json.dumps({f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(100_000)})
    path = tmp_path / "many.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + b"\0")
    started = time.monotonic()
    assert "lists more tensors than a network has" in _refused(str(path))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("size", [0, 4, 8, 100])
def test_damaged_safetensors_files_get_a_sentence(tmp_path: Path, size: int) -> None:
    """Cut anywhere, or with a header longer than the file."""
    path = tmp_path / "cut.safetensors"
    save_file(_state(), path)
    path.write_bytes(path.read_bytes()[:size] if size < 100 else (2**60).to_bytes(8, "little") + b"{}")
    assert "is no safetensors file, or is damaged" in _refused(str(path))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_there_and_no_file_is_called_what_it_is(tmp_path: Path, suffix: str) -> None:
    """A pipe is not waited for and not said to be missing."""
    pipe, folder, device = (tmp_path / f"{name}{suffix}" for name in ("pipe", "folder", "device"))
    os.mkfifo(pipe)
    folder.mkdir()
    device.symlink_to("/dev/zero")
    for path, kind in ((pipe, "a pipe"), (folder, "a folder"), (device, "a device")):
        assert f"is {kind}, not a file of weights" in _refused(str(path))
    assert "There is no file" in _refused(str(tmp_path / f"missing{suffix}"))
    assert names_file("/dev/null")
    with pytest.raises(DataError, match="null is a device"):
        read_weights_file(Path("/dev/null"))
