"""Torch's modules and functions as this program's layers, and the multiply-adds of those that it has no layer for."""

from math import prod
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cifartui.model.layers import KINDS, AnyLayer, Arithmetic
from cifartui.model.shapes import Shape, ShapeError
from cifartui.model.tracing.trace import PLACEHOLDER, TracedLayer

NOT_COUNTED = "not counted"
_TORCH_CLASSES: dict[type[AnyLayer], type[nn.Module]] = {
    kind: getattr(nn, kind.TORCH_CLASS) for kind in KINDS.values() if kind.TORCH_CLASS
}


def layer_of_module(module: nn.Module) -> AnyLayer | None:
    """The layer that does what a module of torch.nn does; None if there is none."""
    if not type(module).__module__.startswith("torch.nn.modules."):
        return None  # a subclass may do something else
    kind = next((kind for kind, torch_class in _TORCH_CLASSES.items() if isinstance(module, torch_class)), None)
    settings = kind.settings_of(module) if kind else None
    if kind is None or settings is None:
        return None
    try:
        return msgspec.convert({"kind": kind.__struct_config__.tag, "name": PLACEHOLDER, **settings}, kind)
    except msgspec.ValidationError:  # numbers larger than a layer's may be
        return None


def layer_of_call(function: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> AnyLayer | None:
    """The layer that does what a call of a torch function does; None if there is none.

    `function` is its bare name, `arguments` are those after the input.
    """
    kind = kind_of_function(function)
    if kind is None or kind.FUNCTION is None or kind.FUNCTION.arguments is None:
        return None
    names = kind.FUNCTION.arguments
    settings = kind.FUNCTION.defaults | dict(zip(names, arguments, strict=False)) | keywords
    settings = {name: settings[name] for name in names if name in settings and name != "training"}
    if not settings.get("stride", True):
        settings["stride"] = None  # an empty list stands for the kernel's size
    try:
        return layer_of_module(_TORCH_CLASSES[kind](**settings))
    except (TypeError, ValueError):
        return None


def kind_of_function(name: str) -> type[AnyLayer] | None:
    """The kind of layer that does what a torch function of that bare name does."""
    return next((kind for kind in KINDS.values() if kind.FUNCTION and kind.FUNCTION.name == name), None)


def agrees(layer: AnyLayer, shape: Shape, seen: Arithmetic) -> bool:
    """Whether a layer's arithmetic gives the output, the parameters and the buffers that were seen."""
    try:
        computed = layer.arithmetic(shape)
    except ShapeError:
        return False
    return (computed.output, computed.parameters, computed.buffer_bytes) == (
        seen.output,
        seen.parameters,
        seen.buffer_bytes,
    )


def module_macs(module: nn.Module, given: torch.Tensor | None, output: torch.Tensor) -> tuple[int, str]:
    """A module's multiply-adds without biases, and `not counted` where there may be some of an unknown number."""
    match module:
        case _ConvTransposeNd():
            return (given.numel() if given is not None else 0) * prod(module.weight.shape[1:]), ""
        case _ConvNd():
            return output.numel() * prod(module.weight.shape[1:]), ""
        case nn.Linear():
            return output.numel() * module.in_features, ""
        case nn.Embedding() | nn.EmbeddingBag():
            return 0, ""
    return 0, NOT_COUNTED if any(parameter.dim() > 1 for parameter in module.parameters()) else ""


def call_macs(function: str, tensors: list[torch.Tensor], output: torch.Tensor) -> tuple[int, str]:
    """A call's multiply-adds, as `module_macs` has them; `tensors` are its arguments, weights among them."""
    given, weight = tensors[0], tensors[1] if len(tensors) > 1 else None
    if weight is not None:
        if function.startswith("conv_transpose"):
            return given.numel() * prod(weight.shape[1:]), ""
        if function in ("conv1d", "conv2d", "conv3d", "convolution"):
            return output.numel() * prod(weight.shape[1:]), ""
        if function == "linear":
            return output.numel() * weight.shape[-1], ""
        if function in ("matmul", "mm") and isinstance(weight, nn.Parameter) and weight.dim() == 2:
            return output.numel() * weight.shape[0], ""
    unknown = function in ("matmul", "mm", "bmm", "addmm", "baddbmm", "einsum", "bilinear", "tensordot")
    unknown |= function.startswith(("multi_head_attention", "_transformer", "_native_multi", "lstm", "gru", "rnn"))
    has_weights = any(isinstance(tensor, nn.Parameter) and tensor.dim() > 1 for tensor in tensors)
    return 0, NOT_COUNTED if unknown and has_weights else ""


def traced_layer(what: str, sums: Arithmetic) -> TracedLayer:
    """An operation for which there is no layer."""
    return TracedLayer(name=PLACEHOLDER, what=what, sums=sums)
