"""A network as plain PyTorch code, which runs as it is and needs nothing of this program."""

from keyword import iskeyword

from cifartui.errors import UsageError
from cifartui.model.layers import KINDS, Layer
from cifartui.model.layers.blocks import Add
from cifartui.model.network import Network, sequences
from cifartui.model.shapes import format_shape
from cifartui.model.summary import summarize

TAKEN = {"Tensor"} | {kind.__name__ for kind in KINDS.values() if kind.CLASS_SOURCE}
"""What the network's class must not be called."""


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
    classes = sorted({layer.CLASS_SOURCE for layer in network.layers if layer.CLASS_SOURCE})
    lines = [
        f'"""The network {network.name}."""',
        "",
        "from torch import Tensor, nn",
        "",
        *(line for text in classes for line in ("", *text.splitlines(), "")),
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


def layer_lines(layer: Layer) -> list[str]:
    """Where a layer is made and where it is used; members of sequences and blocks only as they are made."""
    if isinstance(layer, Add):
        return ["x = residual + shortcut"]
    made, _, member = layer.name.rpartition(".")
    if made:
        return [f"{_constructor(layer)}  # {layer.name}"]
    return [f"self.{member} = {_constructor(layer)}", "...", f"x = self.{member}(x)"]


def class_name(network: Network) -> str:
    """The name of the network's class in its source."""
    name = "".join(part.capitalize() for part in network.name.split("_")) or "Net"
    return f"{name}Net" if iskeyword(name) or name in TAKEN else name


def _constructor(layer: Layer) -> str:
    arguments, settings = layer.construction()
    spelled = ", ".join([*map(repr, arguments), *(f"{name}={value!r}" for name, value in settings.items())])
    return f"nn.{layer.TORCH_CLASS}({spelled})" if layer.TORCH_CLASS else f"{type(layer).__name__}({spelled})"
