"""From what was asked of a run to everything its loop needs."""

from dataclasses import dataclass

import torch
from torch import nn

from cifartui.dataset.images import ImageSet, hold_out, load_image_set
from cifartui.dataset.store import DatasetFacts, find_dataset
from cifartui.model.module import build_module
from cifartui.model.tracing.forward import require_module_fit
from cifartui.training.averaging import WeightAverage
from cifartui.training.checks import require_precision
from cifartui.training.device import DeviceChoice, choose_device, make_repeatable, tune_cpu
from cifartui.training.glimpses import Glimpses, choose_pictures
from cifartui.training.initialization import initialize
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.loading.batches import Batches
from cifartui.training.loading.mixing import Mixer
from cifartui.training.loading.order import FileOrder, ShuffledOrder
from cifartui.training.loading.sources import make_batches
from cifartui.training.losses import training_loss
from cifartui.training.meter import Meter
from cifartui.training.optimizers import make_optimizer
from cifartui.training.precision import Precision, set_products
from cifartui.training.rate import LearningRate
from cifartui.training.recipes.average import MovingAverage
from cifartui.training.recipes.recipe import IMAGES_AT_ONCE, RATE, Recipe
from cifartui.training.run.checkpoints import CheckpointFacts, find_checkpoint
from cifartui.training.run.folder import Run, RunConfig
from cifartui.training.snapshot import read_state
from cifartui.training.speed_gauge import SpeedGauge
from cifartui.training.start import Start
from cifartui.training.state import (
    Accumulation,
    Generators,
    OptimizerState,
    Order,
    Part,
    Position,
    Scale,
    Tallies,
    Weights,
    restore,
)
from cifartui.training.step import StepEngine
from cifartui.training.stopping import EarlyStopping


@dataclass
class Job:
    """Everything the loop works with."""

    recipe: Recipe
    choice: DeviceChoice
    device: torch.device
    module: nn.Module
    average: WeightAverage | None
    engine: StepEngine
    stopping: EarlyStopping
    batches: Batches
    order: ShuffledOrder | FileOrder
    rate: LearningRate
    meter: Meter
    position: Position
    parts: tuple[Part, ...]
    """All of its state."""
    train_images: int
    validation: ImageSet | None
    parameters: int
    gauge: SpeedGauge
    glimpses: Glimpses
    checkpoint: CheckpointFacts | None = None
    """From which the training goes on."""


def prepare(config: RunConfig) -> Job:
    """Choose the device, open the images and build network and optimizer; seeds torch's global generator.

    Raises:
        CifartuiError: the device, the data set or the network cannot be used.
    """
    recipe = config.settings
    choice = choose_device(config.device)
    require_precision(recipe.precision, choice.device)
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
    else:
        make_repeatable()
    set_products(recipe.precision, device)
    torch.manual_seed(config.seed)
    module = initialize(build_module(config.network), recipe.initialization, train_set, recipe.normalize).to(device)
    if recipe.channels_last:
        module = module.to(memory_format=torch.channels_last)
    shuffled = ShuffledOrder(len(train_set), torch.get_rng_state())
    order = shuffled if recipe.loader.shuffle else FileOrder(len(train_set))
    optimizer = make_optimizer(module, recipe.optimizer)
    precision = Precision(recipe.precision, device)
    augment = Augmenter(recipe.augment, config.seed, recipe.normalize, channels_last=recipe.channels_last)
    average = WeightAverage(module, recipe.average.decay) if isinstance(recipe.average, MovingAverage) else None
    engine = StepEngine(
        module,
        optimizer,
        augment,
        training_loss(recipe),
        device,
        recipe.clipping,
        precision=precision,
        mix=Mixer(recipe.mixing, config.seed),
        average=average,
    )
    engine.images_at_once = recipe.images_at_once
    meter, stopping = Meter(), EarlyStopping(recipe.stopping)
    position = Position(steps_per_epoch=-(-len(train_set) // recipe.batch_size), epochs=recipe.epochs)
    rate = LearningRate(optimizer, recipe.optimizer.learning_rate, recipe.schedule, position)
    return Job(
        recipe=recipe,
        choice=choice,
        device=device,
        module=module,
        average=average,
        engine=engine,
        stopping=stopping,
        batches=make_batches(train_set, recipe, device),
        order=order,
        rate=rate,
        meter=meter,
        position=position,
        parts=(
            Weights(module),
            OptimizerState(module, optimizer),
            Generators(),
            Order(order),
            Tallies(meter),
            position,
            rate,
            Accumulation(engine),
            Scale(precision),
            stopping,
            *([average] if average else []),
        ),
        train_images=len(train_set),
        validation=validation,
        parameters=summary.parameters,
        gauge=SpeedGauge(engine, device, precision, summary.macs, rehearses=not config.network.factory),
        glimpses=_glimpses(config, facts, module, average, validation),
    )


def _glimpses(
    config: RunConfig, facts: DatasetFacts, module: nn.Module, average: WeightAverage | None, held_out: ImageSet | None
) -> Glimpses:
    """Of the network that the run is judged by, asked about images that it does not train on.

    Code of the user's own is not asked out of turn: it may remember that it was.
    """
    source = "validation images" if facts.validation else "held-out images" if held_out else "test images"
    if held_out is None and (facts.validation or facts.test):
        held_out = load_image_set(facts.name, "validation" if facts.validation else "test")
    asked = choose_pictures(held_out, config.seed) if held_out and not config.network.factory else None
    judged = average.module if average else module
    return Glimpses(judged, asked, source, config.settings.normalize, is_average=average is not None)


def take_up(job: Job, run: Run, start: Start) -> None:
    """Bring a job to where a start of its run begins.

    Raises:
        DataError: the checkpoint to go on from is not there, damaged, or not of this run.
    """
    job.position.epochs = start.epochs or job.position.epochs
    if start.step is None:
        return
    job.checkpoint = find_checkpoint(run, str(start.step))
    restore(job.parts, read_state(run, job.checkpoint))
    parent = run.config().parent
    if parent is None or job.checkpoint.sha256 != parent.sha256:
        return
    if RATE in parent.changed:
        job.rate.take_the_recipes()
    if IMAGES_AT_ONCE in parent.changed:
        job.engine.images_at_once = job.recipe.images_at_once
