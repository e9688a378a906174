"""The image set: labelled pictures as tensors, ready for training."""

from dataclasses import dataclass

import torch
from safetensors import SafetensorError, safe_open

from cifartui.dataset.store import DatasetFacts, Split, images_file, require_split
from cifartui.errors import DataError


@dataclass(frozen=True)
class ImageSet:
    """One split of a data set."""

    images: torch.Tensor
    """uint8 `[N, 3, H, W]`, RGB."""
    labels: torch.Tensor
    """int64 `[N]`, indices into `classes`."""
    classes: tuple[str, ...]
    source: str
    """Where the images came from, in words."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: torch.Tensor) -> "ImageSet":
        """The images at `indices` (int64 `[M]`), in that order."""
        return ImageSet(self.images[indices], self.labels[indices], self.classes, self.source)


def load_image_set(name: str, split: Split) -> ImageSet:
    """Open one split of a prepared data set; the pixels are mapped from the file, not copied.

    Raises:
        DataError: there is no such data set, it has no such split, or its file is damaged.
    """
    facts = require_split(name, split)
    try:
        with safe_open(images_file(name), framework="pt") as file:
            images, labels = file.get_tensor(f"{split}.images"), file.get_tensor(f"{split}.labels")
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{images_file(name)} is damaged ({error}); remove it and import the data set again."
        ) from error
    _check(facts, split, images, labels)
    return ImageSet(images, labels, facts.classes, facts.source)


def hold_out(image_set: ImageSet, images: int, seed: int) -> tuple[ImageSet, ImageSet]:
    """Split off `images` pictures, the same number of each class as far as that divides; returns (kept, held out).

    The choice depends on `seed` alone.

    Raises:
        ValueError: fewer pictures than asked for are there.
    """
    if images >= len(image_set):
        raise ValueError(f"cannot hold out {images} of {len(image_set)} images")
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(image_set), generator=generator)
    labels = image_set.labels[shuffled]
    rank_in_class = torch.empty_like(labels)
    for label in range(len(image_set.classes)):
        of_class = (labels == label).nonzero().flatten()
        rank_in_class[of_class] = torch.arange(len(of_class))
    turn = torch.argsort(rank_in_class, stable=True)  # one of each class, then the next of each, …
    held_out, kept = shuffled[turn[:images]], shuffled[turn[images:]]
    return image_set.subset(kept.sort().values), image_set.subset(held_out.sort().values)


def _check(facts: DatasetFacts, split: Split, images: torch.Tensor, labels: torch.Tensor) -> None:
    count = facts.images(split)
    shapes_agree = images.shape == (count, 3, *facts.image_size) and labels.shape == (count,)
    if not shapes_agree or images.dtype != torch.uint8 or labels.dtype != torch.int64:
        raise DataError(f"{images_file(facts.name)} does not match its facts; remove it and import the data set again.")
