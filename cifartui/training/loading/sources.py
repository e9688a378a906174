"""Where batches come from: resident tensors or torch's DataLoader."""

import torch

from cifartui.dataset.images import ImageSet
from cifartui.training.loading.batches import Batches, ResidentBatches
from cifartui.training.recipes.recipe import Recipe


def make_batches(image_set: ImageSet, recipe: Recipe, device: torch.device) -> Batches:
    """The source of batches that a recipe asks for."""
    if recipe.loader.kind == "resident":
        return ResidentBatches(image_set, recipe.normalize, recipe.batch_size, device)
    from cifartui.training.loading.dataloader import LoaderBatches  # brings torchvision in, which takes seconds

    return LoaderBatches(image_set, recipe.normalize, recipe.batch_size, recipe.loader.num_workers, device)
