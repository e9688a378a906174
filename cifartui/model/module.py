"""The torch module built from a network's layers."""

from collections import OrderedDict

from torch import nn

from cifartui.model.layers import (
    AnyLayer,
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
from cifartui.model.network import Network


def build_module(network: Network) -> nn.Sequential:
    """Build the module `[N, *input] → [N, classes]`, its weights freshly drawn from torch's global generator.

    The layers' names are the names of the weights (`conv1.weight`), so a state_dict is interchangeable with that
    of a hand-written class with the same attributes.
    """
    return nn.Sequential(OrderedDict((layer.name, _build_layer(layer)) for layer in network.layers))


def _build_layer(layer: AnyLayer) -> nn.Module:
    match layer:
        case Conv2d():
            return nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel_size,
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                bias=layer.bias,
            )
        case MaxPool2d():
            return nn.MaxPool2d(layer.kernel_size, layer.stride, layer.padding)
        case AvgPool2d():
            return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding)
        case GlobalAvgPool2d():
            return nn.AdaptiveAvgPool2d(1)
        case BatchNorm2d():
            return nn.BatchNorm2d(layer.num_features)
        case Dropout():
            return nn.Dropout(layer.p)
        case ReLU():
            return nn.ReLU()
        case Flatten():
            return nn.Flatten()
        case Linear():
            return nn.Linear(layer.in_features, layer.out_features)
