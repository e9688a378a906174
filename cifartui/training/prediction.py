"""Running a network over images without training it."""

from collections.abc import Iterator

import torch
from torch import nn

from cifartui.dataset.images import ImageSet
from cifartui.training.batches import Normalizer
from cifartui.training.recipe import Normalize

BATCH_IMAGES = 500


def predict(
    module: nn.Module, image_set: ImageSet, normalize: Normalize, device: torch.device
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield logits (float32 `[B, classes]`) and labels (int64 `[B]`) on the device, in the order of the image set.

    The module is put in evaluation mode and back.
    """
    normalizer = Normalizer(normalize, device)
    was_training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(image_set), BATCH_IMAGES):
                images = image_set.images[start : start + BATCH_IMAGES].to(device)
                labels = image_set.labels[start : start + BATCH_IMAGES].to(device)
                yield module(normalizer(images)), labels
    finally:
        module.train(was_training)
