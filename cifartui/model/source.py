"""A network as plain PyTorch code, which runs as it is and needs nothing of this program."""

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
    format_shape,
)
from cifartui.model.network import Network
from cifartui.model.summary import summarize


def python_source(network: Network) -> str:
    """The source of a module with `nn.Module` for the network, its weights named as the network's layers.

    A state_dict goes from either to the other; the same weights give the same outputs.
    """
    class_name = "".join(part.capitalize() for part in network.name.split("_")) or "Net"
    summary = summarize(network)
    shapes = {operation.layer.name: format_shape(operation.arithmetic.output) for operation in summary.operations}
    made = [f"        self.{layer.name} = {_constructor(layer)}" for layer in network.layers]
    steps = [
        f"        x = self.{layer.name}(x)" + (f"  # {shapes[layer.name]}" if layer.name in shapes else "")
        for layer in network.layers
    ]
    lines = [
        f'"""The network {network.name}."""',
        "",
        "from torch import Tensor, nn",
        "",
        "",
        f"class {class_name}(nn.Module):",
        f'    """Takes images of {format_shape(network.input)}."""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *made,
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        *steps,
        "        return x",
    ]
    return "\n".join(lines) + "\n"


def _constructor(layer: AnyLayer) -> str:
    match layer:
        case Conv2d():
            fields = [str(layer.in_channels), str(layer.out_channels), str(layer.kernel_size)]
            usual = Conv2d(name=layer.name, in_channels=1, out_channels=1, kernel_size=1)
            for field in ("stride", "padding", "dilation", "groups", "bias"):
                if getattr(layer, field) != getattr(usual, field):
                    fields.append(f"{field}={getattr(layer, field)}")
            return f"nn.Conv2d({', '.join(fields)})"
        case MaxPool2d() | AvgPool2d():
            padding = f", padding={layer.padding}" if layer.padding else ""
            return f"nn.{type(layer).__name__}({layer.kernel_size}, stride={layer.stride}{padding})"
        case GlobalAvgPool2d():
            return "nn.AdaptiveAvgPool2d(1)"
        case BatchNorm2d():
            return f"nn.BatchNorm2d({layer.num_features})"
        case Dropout():
            return f"nn.Dropout({layer.p!r})"
        case ReLU():
            return "nn.ReLU()"
        case Flatten():
            return "nn.Flatten()"
        case Linear():
            return f"nn.Linear({layer.in_features}, {layer.out_features})"
