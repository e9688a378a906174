"""Calls of torch's functions: what each is named, and the tensors that go in and come out."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import resolve_name

from cifartui.model.shapes import Shape

IGNORED = frozenset(
    (
        *("to", "float", "type_as", "contiguous", "cpu", "cuda", "detach", "alias", "requires_grad", "as_subclass"),
        *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"),
        *("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor", "new_empty_strided"),
        *("deepcopy", "share_memory", "pin_memory"),
    )
)
"""Functions that compute nothing from the values that they are given."""
TRANSPOSES = ("T", "mT", "H", "mH")
"""The attributes that are operations."""
OPERATORS = {"getitem": "index", "rsub": "sub", "rtruediv": "div", "rdiv": "div", "rpow": "pow", "rmatmul": "matmul"}


def label_of(func: Callable[..., Any]) -> str:
    """`view`, `torch.cat`, `F.gelu`; empty for what is no operation."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        attribute = getattr(getattr(func, "__self__", None), "__name__", "")
        return attribute if attribute in TRANSPOSES else ""
    bare = name.strip("_")
    place = resolve_name(func) or ""
    if bare in IGNORED or place.startswith("torch.nn.init."):
        return ""
    bare = OPERATORS.get(bare, bare)
    if place.startswith("torch.Tensor."):
        return bare
    return f"F.{bare}" if place.startswith("torch.nn.functional.") else f"torch.{bare}"


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """The tensors in arguments or results, also those in lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)


def first_tensor(value: object) -> torch.Tensor | None:
    """The first of `tensors_in`; None if there is none."""
    return next(tensors_in(value), None)


def shape_of(tensor: torch.Tensor) -> Shape:
    """A tensor's shape without the batch; in full if it does not begin with a batch of one."""
    shape = tuple(tensor.shape)
    return shape[1:] if shape[:1] == (1,) else shape
