"""The kinds of layers that a network can be made of; each owns its facts."""

from typing import get_args

from cifartui.model.layers.activation import GELU, ReLU
from cifartui.model.layers.base import Arithmetic, Layer
from cifartui.model.layers.blocks import BasicBlock, Block
from cifartui.model.layers.convolution import Conv2d
from cifartui.model.layers.dropout import Dropout
from cifartui.model.layers.linear import Flatten, Linear
from cifartui.model.layers.normalization import BatchNorm2d
from cifartui.model.layers.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d

__all__ = [
    "GELU",
    "KINDS",
    "AnyLayer",
    "Arithmetic",
    "AvgPool2d",
    "BasicBlock",
    "BatchNorm2d",
    "Block",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ReLU",
]

AnyLayer = (
    Conv2d
    | MaxPool2d
    | AvgPool2d
    | GlobalAvgPool2d
    | BatchNorm2d
    | Dropout
    | ReLU
    | GELU
    | Flatten
    | Linear
    | BasicBlock
)

KINDS: dict[str, type[AnyLayer]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyLayer)}
"""By the names that networks' TOML files give them."""
