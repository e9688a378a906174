"""Torch's modules and functions as this program's layers, and the multiply-adds of those that it has no layer for."""

from math import prod
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cifartui.model.kinds import AnyLayer
from cifartui.model.layers import (
    Arithmetic,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
)
from cifartui.model.recording.recorded import PLACEHOLDER, Recorded
from cifartui.model.shapes import Shape, ShapeError

NOT_COUNTED = "not counted"
ARGUMENTS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "relu": (nn.ReLU, ("inplace",)),
    "max_pool2d": (nn.MaxPool2d, ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")),
    "avg_pool2d": (
        nn.AvgPool2d,
        ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    ),
    "adaptive_avg_pool2d": (nn.AdaptiveAvgPool2d, ("output_size",)),
    "dropout": (nn.Dropout, ("p", "training", "inplace")),
    "flatten": (nn.Flatten, ("start_dim", "end_dim")),
}
"""By the names of functions: the modules that do the same, and the functions' arguments after the input."""


def layer_of_module(module: nn.Module) -> AnyLayer | None:
    """The layer that does what a module of torch.nn does; None if there is none."""
    fields: dict[str, Any] | None = None
    kind: type[AnyLayer] | None = None
    if not type(module).__module__.startswith("torch.nn.modules."):
        return None  # a subclass may do something else
    match module:
        case nn.Conv2d() if module.padding_mode == "zeros":
            kind, fields = Conv2d, _convolution(module)
        case nn.MaxPool2d() if not (module.ceil_mode or module.return_indices) and _single(module.dilation) == 1:
            kind, fields = MaxPool2d, _window(module)
        case nn.AvgPool2d() if not (module.ceil_mode or module.divisor_override) and module.count_include_pad:
            kind, fields = AvgPool2d, _window(module)
        case nn.AdaptiveAvgPool2d() if _single(module.output_size) == 1:
            kind, fields = GlobalAvgPool2d, {}
        case nn.BatchNorm2d() if module.affine and module.track_running_stats:
            kind, fields = BatchNorm2d, {"num_features": module.num_features}
        case nn.Dropout():
            kind, fields = Dropout, {"p": module.p}
        case nn.ReLU():
            kind, fields = ReLU, {}
        case nn.Flatten() if (module.start_dim, module.end_dim) == (1, -1):
            kind, fields = Flatten, {}
        case nn.Linear() if module.bias is not None:
            kind, fields = Linear, {"in_features": module.in_features, "out_features": module.out_features}
    if kind is None or fields is None:
        return None
    try:
        return msgspec.convert({"kind": kind.__struct_config__.tag, "name": PLACEHOLDER, **fields}, kind)
    except msgspec.ValidationError:  # numbers larger than a layer's may be
        return None


def layer_of_call(function: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> AnyLayer | None:
    """The layer that does what a call of a torch function does; None if there is none.

    `function` is its bare name, `arguments` are those after the input.
    """
    if function not in ARGUMENTS:
        return None
    kind, names = ARGUMENTS[function]
    settings: dict[str, Any] = {"start_dim": 0} if kind is nn.Flatten else {}
    settings |= dict(zip(names, arguments, strict=False)) | keywords
    settings = {name: settings[name] for name in names if name in settings and name != "training"}
    if not settings.get("stride", True):
        settings["stride"] = None  # an empty list stands for the kernel's size
    try:
        return layer_of_module(kind(**settings))
    except (TypeError, ValueError):
        return None


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


def recorded(what: str, sums: Arithmetic) -> Recorded:
    """An operation for which there is no layer."""
    return Recorded(name=PLACEHOLDER, what=what, sums=sums)


def _convolution(module: nn.Conv2d) -> dict[str, Any] | None:
    window = _window(module)
    dilation = _single(module.dilation)
    if window is None or dilation is None:
        return None
    channels = {"in_channels": module.in_channels, "out_channels": module.out_channels}
    return channels | window | {"dilation": dilation, "groups": module.groups, "bias": module.bias is not None}


def _window(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> dict[str, Any] | None:
    """Kernel, stride and padding, if each is one number in both directions."""
    kernel, padding = _single(module.kernel_size), _single(module.padding)  # padding may be a word
    if isinstance(module, nn.Conv2d) and isinstance(module.padding, str) and kernel:
        spread = (_single(module.dilation) or 0) * (kernel - 1) if module.padding == "same" else 0
        padding = spread // 2 if spread % 2 == 0 else None
    fields = {"kernel_size": kernel, "stride": _single(module.stride), "padding": padding}
    return None if None in fields.values() else fields


def _single(value: Any) -> int | None:
    """The number of a setting that is one number or the same in all directions."""
    numbers = value if isinstance(value, tuple | list) else (value,)
    return numbers[0] if len(set(numbers)) == 1 and isinstance(numbers[0], int) else None
