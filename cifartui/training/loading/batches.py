"""Batches from a resident tensor; `dataloader.py` gives the same ones, bit for bit, through torch's DataLoader."""

from collections.abc import Iterator
from typing import Protocol

import torch

from cifartui.dataset.images import ImageSet
from cifartui.training.recipes.parts import Normalize

Batch = tuple[torch.Tensor, torch.Tensor]
"""Normalised images, float32 `[B, 3, H, W]`, and labels, int64 `[B]`, on the training device."""

CHUNK_BYTES = 12 * 1024**2
"""Of images gathered and normalised at once, as float32: 1,024 of 32 × 32 make the cost per batch vanish."""


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
        chunk = batches_per_chunk(self._images, self._batch_size) * self._batch_size
        for indices in order.to(self._images.device).split(chunk):
            images = self._normalize(self._images[indices]).split(self._batch_size)
            labels = self._labels[indices].split(self._batch_size)
            yield from zip(images, labels, strict=True)


def batches_per_chunk(images: torch.Tensor, batch_size: int) -> int:
    """How many batches of `images` (`[N, 3, H, W]`) are gathered at once."""
    return max(1, CHUNK_BYTES // (batch_size * images[0].numel() * torch.float32.itemsize))


class Normalizer:
    """`ToTensor` and `Normalize` on whole batches, with the same roundings as torchvision's."""

    def __init__(self, normalize: Normalize, device: torch.device) -> None:
        self._mean = torch.tensor(normalize.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(normalize.std, device=device).view(1, 3, 1, 1)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 `[B, 3, H, W]` → float32 `[B, 3, H, W]`."""
        return images.to(torch.float32).div_(255).sub_(self._mean).div_(self._std)
