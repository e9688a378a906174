"""A network as plain PyTorch code, which runs as it is and needs nothing of this program."""

from keyword import iskeyword

from cifartui.errors import UsageError
from cifartui.model.blocks import BasicBlock
from cifartui.model.kinds import AnyLayer
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
from cifartui.model.network import Network, sequences
from cifartui.model.shapes import format_shape
from cifartui.model.summary import summarize

TAKEN = ("BasicBlock", "Tensor")
BLOCK_SOURCE = '''
class BasicBlock(nn.Module):
    """Two 3×3 convolutions that learn what to add to the block's input."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        residual = nn.functional.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return nn.functional.relu(residual + self.downsample(x))

'''


def python_source(network: Network) -> str:
    """The source of a module with `nn.Module` for the network, its weights named as the network's layers.

    A state_dict goes from either to the other; the same weights give the same outputs.

    Raises:
        UsageError: the network is code of the user's own.
    """
    if network.factory:
        raise UsageError(f"The source of {network.factory} is your own; look into its file.")
    summary = summarize(network)
    shapes = {operation.layer.name: format_shape(operation.arithmetic.output) for operation in summary.operations}
    made, steps = [], []
    for sequence, layers in sequences(network.layers):
        name, last = sequence or layers[0].name, layers[-1].name
        if sequence:
            members = [f"            {_constructor(layer)}," for layer in layers]
            made += [f"        self.{name} = nn.Sequential(", *members, "        )"]
        else:
            made.append(f"        self.{name} = {_constructor(layers[0])}")
        steps.append(f"        x = self.{name}(x)" + (f"  # {shapes[last]}" if last in shapes else ""))
    has_blocks = any(isinstance(layer, BasicBlock) for layer in network.layers)
    lines = [
        f'"""The network {network.name}."""',
        "",
        "from torch import Tensor, nn",
        "",
        *(BLOCK_SOURCE.splitlines() if has_blocks else []),
        "",
        f"class {class_name(network)}(nn.Module):",
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


def loading_lines(network: Network, path: str) -> list[str]:
    """The two lines of the tutorial that load exported weights into a new network."""
    factory = network.factory.partition(":")[2]
    return [
        f"net = {factory or class_name(network)}()",
        f"net.load_state_dict(torch.load({path!r}, weights_only=True))",
    ]


def loading_source(network: Network, path: str) -> str:
    """Those lines, what they import, and the network's class."""
    module, _, factory = network.factory.partition(":")
    lines = loading_lines(network, path)
    if factory:
        return "\n".join(["import torch", f"from {module} import {factory}", "", *lines]) + "\n"
    return "\n".join(["import torch", "", *lines, "", "# with the class", python_source(network)])


def class_name(network: Network) -> str:
    """The name of the network's class in its source."""
    name = "".join(part.capitalize() for part in network.name.split("_")) or "Net"
    return f"{name}Net" if iskeyword(name) or name in TAKEN else name


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
        case BasicBlock():
            stride = f", stride={layer.stride}" if layer.stride > 1 else ""
            return f"BasicBlock({layer.in_channels}, {layer.out_channels}{stride})"
