"""The torch module built from a network's layers."""

from torch import nn

from cifartui.errors import UsageError
from cifartui.model.layers import AnyLayer, BasicBlock
from cifartui.model.network import Network, sequences
from cifartui.model.tracing.factory import module_from_factory


def build_module(network: Network) -> nn.Module:
    """Build the module `[N, *input] → [N, classes]`, its weights freshly drawn from torch's global generator.

    Raises:
        FactoryError: it has a factory, which does not give a module.
    """
    return module_from_factory(network) if network.factory else build_chain(network)


def build_chain(network: Network) -> nn.Sequential:
    """Build the module of a chain of layers.

    The layers' names are the names of the weights (`conv1.weight`), so a state_dict is interchangeable with that
    of a hand-written class with the same attributes.

    Raises:
        UsageError: a name is one that torch's modules have already.
    """
    module = nn.Sequential()
    for sequence, layers in sequences(network.layers):
        built = [_build_layer(layer) for layer in layers]
        name = sequence or layers[0].name
        if hasattr(module, name):
            raise UsageError(f"{name} cannot name a layer: torch's modules use that word; choose another name.")
        module.add_module(name, nn.Sequential(*built) if sequence else built[0])
    return module


def _build_layer(layer: AnyLayer) -> nn.Module:
    if isinstance(layer, BasicBlock):
        return _build_block(layer)
    arguments, settings = layer.construction()
    built: nn.Module = getattr(nn, layer.TORCH_CLASS)(*arguments, **settings)
    return built


def _build_block(block: BasicBlock) -> nn.Module:
    from torchvision.models import resnet  # takes seconds, and most networks have no blocks

    downsample = None
    if block.shortcut:
        downsample = nn.Sequential(
            nn.Conv2d(block.in_channels, block.out_channels, 1, stride=block.stride, bias=False),
            nn.BatchNorm2d(block.out_channels),
        )
    built: nn.Module = resnet.BasicBlock(block.in_channels, block.out_channels, block.stride, downsample)
    return built
