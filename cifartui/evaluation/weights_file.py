"""Files of weights that somebody else saved: tensors are taken from them and nothing else."""

import pickle
import stat
import warnings
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file

from cifartui.errors import DataError
from cifartui.files import kind_of
from cifartui.text import printable

MAX_HEADER_BYTES = 4_000_000
"""Of a safetensors file: room for some 30,000 tensors, and the largest networks have a few thousand."""
STATE_KEYS = ("state_dict", "model_state_dict")
"""Where checkpoints of Lightning, and of PyTorch's own tutorials, keep the weights."""
WRAPPERS = ("module.", "model.", "_orig_mod.")
"""What DataParallel, Lightning and torch.compile put before every name."""
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

Weights = dict[str, torch.Tensor]


def read_weights_file(path: Path) -> Weights:
    """Read a state_dict, on its own or within a checkpoint, admitting tensors and nothing else.

    Raises:
        DataError: the file is not there, is no file of weights, or wants to run code.
    """
    shown = printable(str(path))
    _require_file(path, shown)
    if path.suffix == ".safetensors":
        return _without_training_state(_read_safetensors(path, shown))
    state = _read_pickle(path, shown)
    if isinstance(state, dict):
        state = next((state[key] for key in STATE_KEYS if isinstance(state.get(key), dict)), state)
        if set(state) == {"state", "param_groups"}:
            raise DataError(
                f"{shown} holds the state of an optimizer and no weights; "
                "save the network's with torch.save(net.state_dict(), PATH)."
            )
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in state.items()
    ):
        raise DataError(f"{shown} is not a state_dict; save it with torch.save(net.state_dict(), PATH).")
    return _without_training_state(state)


def unwrapped(weights: Weights, expected: Iterable[str]) -> Weights:
    """The weights without what wrappers put before every name, unless the expected names start so too."""
    expected = tuple(expected)
    for _ in WRAPPERS:
        for wrapper in WRAPPERS:
            if all(name.startswith(wrapper) for name in weights) and not any(
                name.startswith(wrapper) for name in expected
            ):
                weights = {name.removeprefix(wrapper): tensor for name, tensor in weights.items()}
    return weights


def unusable(tensor: torch.Tensor, expected: torch.Tensor) -> str:
    """Why a tensor cannot take another's place whatever its shape, in words with the remedy; else nothing."""
    if tensor.device.type == "meta":
        return "has a shape and no numbers (it is on the meta device); save the network after its weights are loaded"
    if tensor.is_quantized:
        return "is quantized; save its dequantize()"
    if tensor.layout != torch.strided or tensor.is_nested:
        return "is sparse or nested; save its to_dense()"
    allowed = FLOATS if expected.is_floating_point() else INTEGERS
    if tensor.dtype not in allowed:
        return f"is of type {_name(tensor.dtype)} and should be {_name(expected.dtype)}; convert it before saving"
    return ""


def _require_file(path: Path, shown: str) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        what = "There is no file" if missing else f"{printable(str(error.strerror))}:"
        raise DataError(f"{what} {shown}; check the path.") from error
    if not stat.S_ISREG(mode):
        raise DataError(f"{shown} is {kind_of(mode)}, not a file of weights; name a .pth or .safetensors file.")


def _read_safetensors(path: Path, shown: str) -> Weights:
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
    if MAX_HEADER_BYTES < header_bytes < path.stat().st_size:
        raise DataError(
            f"{shown} lists more tensors than a network has (its header has {header_bytes:,} bytes of at most "
            f"{MAX_HEADER_BYTES:,}); save the weights on their own."
        )
    try:
        return load_file(path)
    except Exception as error:  # a header that lies can raise more than SafetensorError
        raise DataError(f"{shown} is no safetensors file, or is damaged; save it again.") from error


def _read_pickle(path: Path, shown: str) -> object:
    try:
        with warnings.catch_warnings(action="ignore"):  # about unusual pickles: the sentences below say all
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{shown} holds more than tensors, which could run code, so it was not loaded; "
            "save it again with torch.save(net.state_dict(), PATH)."
        ) from error
    except Exception as error:  # bytes that are no pickle can raise anything in torch's reader
        raise DataError(f"{shown} is no file of weights, or is damaged; save it again with torch.save.") from error


def _without_training_state(weights: Weights) -> Weights:
    """Our own checkpoints keep the state of training under names with a slash."""
    return {name: tensor for name, tensor in weights.items() if "/" not in name}


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
