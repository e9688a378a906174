"""Running a network over images without training it."""

from collections.abc import Iterator

import torch
from torch import nn

from cifartui.dataset.images import ImageSet
from cifartui.training.loading.batches import Normalizer
from cifartui.training.recipes.parts import Normalize

BATCH_PIXELS = 500 * 32 * 32
"""Of a batch's pictures together, so that what layers make of large pictures fits the memory, too."""


def batch_images(image_set: ImageSet) -> int:
    """How many pictures go through the network at once."""
    _, _, height, width = image_set.images.shape
    return max(1, BATCH_PIXELS // (height * width))


def predict(
    module: nn.Module, image_set: ImageSet, normalize: Normalize, device: torch.device
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield logits (float32 `[B, classes]`) and labels (int64 `[B]`) on the device, in the order of the image set.

    It is computed in float32 whatever precision the network trained in: an accuracy belongs to the weights, and is the
    same while training, in an evaluation and in what they are exported to. The module is put in evaluation mode and
    back.
    """
    normalizer = Normalizer(normalize, device)
    was_training, count = module.training, batch_images(image_set)
    module.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(image_set), count):
                images = image_set.images[start : start + count].to(device)
                labels = image_set.labels[start : start + count].to(device)
                yield module(normalizer(images)), labels
    finally:
        module.train(was_training)
