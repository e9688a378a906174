"""What a network's weights are before its first step."""

import torch
from torch import nn
from torch.nn import functional

from cifartui.dataset.images import ImageSet
from cifartui.errors import UsageError
from cifartui.training.loading.batches import Normalizer
from cifartui.training.recipes.parts import Normalize
from cifartui.training.recipes.recipe import Initialization

WHITENING_IMAGES, IMAGES_AT_ONCE = 5_000, 500
SMALLEST_VARIANCE = 5e-4
"""Is added to each, so that directions in which patches hardly differ are not blown up into noise."""


def initialize(module: nn.Module, how: Initialization, images: ImageSet, normalize: Normalize) -> nn.Module:
    """Draw a module's weights from torch's global generator, or leave them as torch drew them; return the module.

    "he": normal with the variance 2 / inputs, biases 0 (He et al. 2015), in convolutions and linear layers.
    "whitened": the first convolution's filters whiten the patches of `images` and get no gradient any more.

    Raises:
        UsageError: "whitened", and the network begins with no convolution of the pictures themselves.
    """
    if how == "he":
        for layer in module.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    elif how == "whitened":
        first = next((layer for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
        if first is None or first.weight.shape[1] != images.images.shape[1]:
            raise UsageError(
                "initialization = whitened is not allowed: the network's first layer is no convolution of pictures "
                f"with {images.images.shape[1]} channels; choose he or torch."
            )
        _whiten(first, images.images[:WHITENING_IMAGES], normalize)
    return module


@torch.no_grad()
def _whiten(convolution: nn.Conv2d, images: torch.Tensor, normalize: Normalize) -> None:
    """Make a convolution's outputs uncorrelated and equally large; source: Page 2019, "How to train your ResNet 8".

    Its filters are the directions in which patches of the images differ most, each divided by how much they do, and
    their negatives, so that what comes after sees both signs through a ReLU (Jordan 2024, "94% on CIFAR-10 in 3.29
    seconds"). Filters beyond those of all directions stay as they were drawn.
    """
    normalizer, height_and_width = Normalizer(normalize, images.device), convolution.weight.shape[2:]
    weight = convolution.weight
    products, patches = torch.zeros(weight[0].numel(), weight[0].numel(), dtype=torch.float64), 0
    for part in images.split(IMAGES_AT_ONCE):
        columns = functional.unfold(normalizer(part), height_and_width).transpose(1, 2).flatten(0, 1)
        products += (columns.T @ columns).double()
        patches += len(columns)
    variances, directions = torch.linalg.eigh(products / patches)
    filters = (directions / (variances + SMALLEST_VARIANCE).sqrt()).T.flip(0)  # those of most variance first
    filters = filters[: len(weight) // 2].float().view(-1, *weight.shape[1:])
    weight[: 2 * len(filters)] = torch.cat([filters, -filters])
    if convolution.bias is not None:
        convolution.bias.zero_()
    convolution.requires_grad_(False)
