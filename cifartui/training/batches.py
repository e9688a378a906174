"""Batches from a resident tensor; `dataloader.py` gives the same ones, bit for bit, through torch's DataLoader."""

from collections.abc import Iterator
from typing import Protocol

import torch

from cifartui.dataset.images import ImageSet
from cifartui.training.recipe import Normalize

Batch = tuple[torch.Tensor, torch.Tensor]
"""Normalised images, float32 `[B, 3, H, W]`, and labels, int64 `[B]`, on the training device."""

CHUNK_IMAGES = 1_024
"""Images gathered and normalised at once: enough to make the cost per batch vanish, 12 MB as float32."""


class Batches(Protocol):
    """A source of batches."""

    def in_order(self, order: torch.Tensor) -> Iterator[Batch]:
        """Yield the images at the indices `order` (int64 `[N]`), a batch at a time; the last may be smaller."""
        ...


class ResidentBatches:
    """All images lie on the training device as uint8; a batch is an index operation."""

    def __init__(self, image_set: ImageSet, normalize: Normalize, batch_size: int, device: torch.device) -> None:
        self._images = image_set.images.to(device, copy=True)  # out of the mapped file, whose pages come one by one
        self._labels = image_set.labels.to(device)
        self._normalize = Normalizer(normalize, device)
        self._batch_size = batch_size

    def in_order(self, order: torch.Tensor) -> Iterator[Batch]:
        chunk_images = max(1, CHUNK_IMAGES // self._batch_size) * self._batch_size
        for chunk in order.to(self._images.device).split(chunk_images):
            images = self._normalize(self._images[chunk]).split(self._batch_size)
            labels = self._labels[chunk].split(self._batch_size)
            yield from zip(images, labels, strict=True)


class Normalizer:
    """`ToTensor` and `Normalize` on whole batches, with the same roundings as torchvision's."""

    def __init__(self, normalize: Normalize, device: torch.device) -> None:
        self._mean = torch.tensor(normalize.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(normalize.std, device=device).view(1, 3, 1, 1)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 `[B, 3, H, W]` → float32 `[B, 3, H, W]`."""
        return images.to(torch.float32).div_(255).sub_(self._mean).div_(self._std)
