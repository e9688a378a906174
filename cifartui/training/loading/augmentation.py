"""Augmentation: each step sees its images a little changed, so that the network learns the thing, not the picture."""

import torch
from torch.nn import functional

from cifartui.training.recipes.parts import Augment


class Augmenter:
    """Flips, crops and cuts whole batches, the same for the same seed and step, whatever loads them."""

    def __init__(self, settings: Augment, seed: int) -> None:
        self._settings, self._seed = settings, seed
        self._generator = torch.Generator()
        self._changes = bool(settings.flip or settings.crop_padding or settings.cutout)

    def __call__(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """Normalised images `[B, 3, H, W]` → the same shape, as step `step` of the run sees them."""
        if not self._changes:
            return images
        self._generator.manual_seed((self._seed * 1_000_003 + step) % 2**63)
        if self._settings.flip:
            images = self._flip(images)
        if self._settings.crop_padding:
            images = self._crop(images, self._settings.crop_padding)
        if self._settings.cutout:
            images = self._cut_out(images, self._settings.cutout)
        return images

    def _flip(self, images: torch.Tensor) -> torch.Tensor:
        flipped = torch.rand(len(images), generator=self._generator) < 0.5
        return torch.where(flipped.to(images.device)[:, None, None, None], images.flip(-1), images)

    def _crop(self, images: torch.Tensor, padding: int) -> torch.Tensor:
        """Mirror the edges outwards, then cut each image out at a place of its own."""
        count, channels, height, width = images.shape
        padded = functional.pad(images, [padding] * 4, mode="reflect")
        rows = self._offsets(count, 2 * padding + 1, images)[:, None] + torch.arange(height, device=images.device)
        columns = self._offsets(count, 2 * padding + 1, images)[:, None] + torch.arange(width, device=images.device)
        image = torch.arange(count, device=images.device)[:, None, None, None]
        channel = torch.arange(channels, device=images.device)[None, :, None, None]
        return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]

    def _cut_out(self, images: torch.Tensor, side: int) -> torch.Tensor:
        """Set a square of each image to 0, the value of the mean; it may reach over the edge (DeVries, Taylor 2017)."""
        count, _, height, width = images.shape
        below = torch.arange(height, device=images.device) - self._offsets(count, height, images)[:, None] + side // 2
        beside = torch.arange(width, device=images.device) - self._offsets(count, width, images)[:, None] + side // 2
        hidden = ((below >= 0) & (below < side))[:, :, None] & ((beside >= 0) & (beside < side))[:, None, :]
        return images.masked_fill(hidden[:, None], 0.0)

    def _offsets(self, count: int, end: int, images: torch.Tensor) -> torch.Tensor:
        return torch.randint(0, end, (count,), generator=self._generator).to(images.device)
