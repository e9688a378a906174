"""One picture as the augmentation of a recipe changes it, to be looked at."""

import torch

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import Split
from cifartui.errors import UsageError
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.loading.augmented import AugmentedPictures
from cifartui.training.loading.batches import Normalizer
from cifartui.training.recipes.recipe import Recipe


def augmented(dataset: str, split: Split, position: int, recipe: Recipe, seed: int, count: int) -> AugmentedPictures:
    """Take the picture at `position` through a recipe's augmentation `count` times, with training's own code.

    Raises:
        DataError: there is no such data set, or it is damaged.
        UsageError: the split has no such picture.
    """
    image_set = load_image_set(dataset, split)
    if not 0 <= position < len(image_set):
        raise UsageError(
            f"There is no picture {position:,}: the {split} images are numbered 0 to {len(image_set) - 1:,}."
        )
    cpu = torch.device("cpu")
    mean = torch.tensor(recipe.normalize.mean).view(1, 3, 1, 1)
    std = torch.tensor(recipe.normalize.std).view(1, 3, 1, 1)
    images = Normalizer(recipe.normalize, cpu)(image_set.images[position].expand(count, -1, -1, -1))
    changed = Augmenter(recipe.augment, seed, recipe.normalize)(images, step=0)
    pixels = ((changed * std + mean) * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return AugmentedPictures((pixels.shape[1], pixels.shape[2]), [picture.numpy().tobytes() for picture in pixels])
