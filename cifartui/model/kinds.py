"""The kinds of layers that a network can be made of."""

from cifartui.model.blocks import BasicBlock
from cifartui.model.layers import (
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

AnyLayer = (
    Conv2d | MaxPool2d | AvgPool2d | GlobalAvgPool2d | BatchNorm2d | Dropout | ReLU | Flatten | Linear | BasicBlock
)

KINDS: dict[str, type[AnyLayer]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Conv2d,
        MaxPool2d,
        AvgPool2d,
        GlobalAvgPool2d,
        BatchNorm2d,
        Dropout,
        ReLU,
        Flatten,
        Linear,
        BasicBlock,
    )
}
"""By the names that networks' TOML files give them."""
