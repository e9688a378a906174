"""Augmentation: each step sees its images a little changed, so that the network learns the thing, not the picture."""

import torch

from cifartui.training.recipes.parts import Augment, Normalize

SHARES_OF_GREY = (0.2989, 0.587, 0.114)
"""Of red, green and blue, by how bright they look (ITU-R BT.601), as torchvision has them."""
PLAIN = Normalize(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class Augmenter:
    """Changes whole batches, the same for the same seed and step, whatever loads them."""

    def __init__(
        self, settings: Augment, seed: int, normalize: Normalize = PLAIN, *, channels_last: bool = False
    ) -> None:
        """`normalize` is what images went through before; `channels_last` how they lie in memory afterwards."""
        self._settings, self._seed, self._normalize = settings, seed, normalize
        self._generator = torch.Generator()
        self._moves = bool(settings.flip or settings.crop_padding)
        self._colours = bool(settings.brightness or settings.contrast or settings.saturation)
        self._changes = bool(self._moves or self._colours or settings.cutout)
        self._memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def __call__(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """Normalised images `[B, 3, H, W]` → the same shape, as step `step` of the run sees them."""
        if self._changes:
            self._generator.manual_seed((self._seed * 1_000_003 + step) % 2**63)
        if self._moves:
            images = self._move(images, self._settings.crop_padding)
        if self._colours:
            images = self._jitter(images)
        if self._settings.cutout:
            images = self._cut_out(images, self._settings.cutout)
        return images.contiguous(memory_format=self._memory_format)

    def _move(self, images: torch.Tensor, padding: int) -> torch.Tensor:
        """Mirror every other image, then shift each; where it leaves a gap its mirrored edge goes on.

        Each pixel is fetched from where it was: one index operation, without a padded copy of the images.
        """
        count, channels, height, width = images.shape
        flipped = self._draw(count) < 0.5 if self._settings.flip else torch.zeros(count, dtype=torch.bool)
        rows = columns = torch.zeros(count, dtype=torch.int64)
        if padding:
            rows, columns = (torch.randint(-padding, padding + 1, (2, count), generator=self._generator)).unbind()
        rows = _mirrored_at_the_edges(rows[:, None] + torch.arange(height), height)
        columns = _mirrored_at_the_edges(columns[:, None] + torch.arange(width), width)
        columns = torch.where(flipped[:, None], width - 1 - columns, columns)
        places = (rows[:, :, None] * width + columns[:, None, :]).view(count, 1, height * width).to(images.device)
        return images.flatten(2).gather(2, places.expand(-1, channels, -1)).view(images.shape)

    def _jitter(self, images: torch.Tensor) -> torch.Tensor:
        """Change brightness, then contrast, then saturation, each image by factors of its own; source: torchvision's
        ColorJitter, which draws the order of the three as well.
        """
        settings = self._settings
        mean = torch.tensor(self._normalize.mean, device=images.device).view(1, 3, 1, 1)
        std = torch.tensor(self._normalize.std, device=images.device).view(1, 3, 1, 1)
        images = images * std + mean
        if settings.brightness:
            images = (images * self._factors(settings.brightness, images)).clamp(0, 1)
        if settings.contrast:
            grey = _grey(images).mean(dim=(1, 2, 3), keepdim=True)
            images = grey.lerp(images, self._factors(settings.contrast, images)).clamp(0, 1)
        if settings.saturation:
            images = _grey(images).lerp(images, self._factors(settings.saturation, images)).clamp(0, 1)
        return (images - mean) / std

    def _cut_out(self, images: torch.Tensor, side: int) -> torch.Tensor:
        """Set a square of each image to 0, the value of the mean; it may reach over the edge (DeVries, Taylor 2017)."""
        count, _, height, width = images.shape
        below = torch.arange(height, device=images.device) - self._offsets(count, height, images)[:, None] + side // 2
        beside = torch.arange(width, device=images.device) - self._offsets(count, width, images)[:, None] + side // 2
        hidden = ((below >= 0) & (below < side))[:, :, None] & ((beside >= 0) & (beside < side))[:, None, :]
        return images.masked_fill(hidden[:, None], 0.0)

    def _offsets(self, count: int, end: int, images: torch.Tensor) -> torch.Tensor:
        return torch.randint(0, end, (count,), generator=self._generator).to(images.device)

    def _factors(self, most: float, images: torch.Tensor) -> torch.Tensor:
        """One for each image, between 1 - most and 1 + most."""
        factors = 1 + most * (2 * self._draw(len(images)) - 1)
        return factors.view(-1, 1, 1, 1).to(images.device)

    def _draw(self, count: int) -> torch.Tensor:
        """Numbers between 0 and 1."""
        return torch.rand(count, generator=self._generator)


def _mirrored_at_the_edges(places: torch.Tensor, size: int) -> torch.Tensor:
    """Places on a line of `size` pixels; those outside as many pixels inside, the edge itself not repeated."""
    return size - 1 - (size - 1 - places.abs()).abs()


def _grey(images: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]` → `[B, 1, H, W]`."""
    return (images * torch.tensor(SHARES_OF_GREY, device=images.device).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
