"""From what was asked of a run to everything its loop needs."""

from dataclasses import dataclass

import torch
from torch import nn

from cifartui.dataset.images import ImageSet, hold_out, load_image_set
from cifartui.dataset.store import find_dataset
from cifartui.model.module import build_module
from cifartui.model.recording.record import require_module_fit
from cifartui.training import recipe as recipes
from cifartui.training.device import DeviceChoice, choose_device, tune_cpu
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.loading.batches import Batches
from cifartui.training.loading.order import FileOrder, ShuffledOrder
from cifartui.training.loading.sources import make_batches
from cifartui.training.optimizers import make_optimizer
from cifartui.training.run.folder import RunConfig


@dataclass(frozen=True)
class Job:
    """Everything the loop works with."""

    recipe: recipes.Recipe
    choice: DeviceChoice
    device: torch.device
    module: nn.Module
    optimizer: torch.optim.Optimizer
    batches: Batches
    augment: Augmenter
    order: ShuffledOrder | FileOrder
    train_images: int
    validation: ImageSet | None
    parameters: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one epoch, the last perhaps smaller."""
        return -(-self.train_images // self.recipe.batch_size)


def prepare(config: RunConfig) -> Job:
    """Choose the device, open the images and build network and optimizer; seeds torch's global generator.

    Raises:
        CifartuiError: the device, the data set or the network cannot be used.
    """
    recipe = config.settings
    choice = choose_device(config.device)
    device = torch.device(choice.device)
    facts = find_dataset(config.dataset, config.dataset_sha256)
    train_set, validation = load_image_set(facts.name, "train"), None
    if recipe.validation.images and facts.validation:
        validation = load_image_set(facts.name, "validation")
    elif recipe.validation.images:
        train_set, validation = hold_out(train_set, recipe.validation.images, config.seed)
    summary = require_module_fit(config.network, tuple(train_set.images.shape[1:]), len(train_set.classes))
    if choice.device == "cpu":
        tune_cpu(summary.macs * recipe.batch_size)
    torch.manual_seed(config.seed)
    module = build_module(config.network).to(device)
    shuffled = ShuffledOrder(len(train_set), torch.get_rng_state())
    return Job(
        recipe=recipe,
        choice=choice,
        device=device,
        module=module,
        optimizer=make_optimizer(module, recipe.optimizer),
        batches=make_batches(train_set, recipe, device),
        augment=Augmenter(recipe.augment, config.seed),
        order=shuffled if recipe.loader.shuffle else FileOrder(len(train_set)),
        train_images=len(train_set),
        validation=validation,
        parameters=summary.parameters,
    )
