"""Mixing: two images of a batch in one, and the loss shared between their labels."""

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

import torch

from cifartui.training.recipes.mixing import AnyMixing, CutMix, NoMixing


class Mixed(NamedTuple):
    """A batch whose images have something of another of its images."""

    images: torch.Tensor
    """`[B, 3, H, W]`."""
    other_labels: torch.Tensor | None
    """Of the images mixed in, `[B]`; None where nothing is."""
    share: float
    """Of an image's own in it, and of its own label in the loss; the rest is the other's."""

    def split(self, parts: int) -> "Iterator[Mixed]":
        """In so many parts, one after the other."""
        images = self.images.tensor_split(parts)
        others = (None,) * parts if self.other_labels is None else self.other_labels.tensor_split(parts)
        for part, labels in zip(images, others, strict=True):
            yield Mixed(part, labels, self.share)


class Mixer:
    """Mixes whole batches, the same for the same seed and step, whatever loads them."""

    def __init__(self, settings: AnyMixing, seed: int) -> None:
        self._settings, self._seed = settings, seed

    def __call__(self, images: torch.Tensor, labels: torch.Tensor, step: int) -> Mixed:
        """Images `[B, 3, H, W]` and their labels `[B]`, as step `step` of the run sees them."""
        settings = self._settings
        if isinstance(settings, NoMixing):
            return Mixed(images, None, 1.0)
        chance = random.Random(f"mixing {self._seed} {step}")
        share = chance.betavariate(settings.alpha, settings.alpha)
        others = torch.tensor(chance.sample(range(len(images)), len(images)), device=images.device)
        if not isinstance(settings, CutMix):
            return Mixed(images[others].lerp(images, share), labels[others], share)
        height, width = images.shape[2:]
        rows, columns = _part(height, share, chance), _part(width, share, chance)
        mixed = images.clone()
        mixed[:, :, rows, columns] = images[others][:, :, rows, columns]
        covered = (rows.stop - rows.start) * (columns.stop - columns.start)
        return Mixed(mixed, labels[others], 1 - covered / (height * width))


def _part(size: int, share: float, chance: random.Random) -> slice:
    """Where along one side the rectangle lies: around a place drawn, cut off at the edge."""
    length, middle = int(size * math.sqrt(1 - share)), chance.randrange(size)
    return slice(max(0, middle - length // 2), min(size, middle + length // 2))
