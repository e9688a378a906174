"""What a network's weights are before its first step."""

from typing import Literal

from torch import nn


def initialize(module: nn.Module, how: Literal["torch", "he"]) -> nn.Module:
    """Draw a module's weights from torch's global generator, or leave them as torch drew them; return the module.

    "he": normal with the variance 2 / inputs, biases 0 (He et al. 2015), in convolutions and linear layers.
    """
    if how == "he":
        for layer in module.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return module
