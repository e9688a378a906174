"""What settings of a recipe ask of each other: checked before anything starts, without torch."""

from cifartui.errors import UsageError
from cifartui.training.device_names import DeviceName
from cifartui.training.recipes.optimizers import SGD
from cifartui.training.recipes.recipe import PrecisionName, Recipe
from cifartui.training.recipes.schedules import StepDecay, WarmedUp
from cifartui.training.recipes.stopping import Patience

PRECISIONS: dict[str, tuple[PrecisionName, ...]] = {
    "cpu": ("fp32", "bf16"),
    "mps": ("fp32", "bf16"),
    "cuda": ("fp32", "tf32", "bf16", "fp16"),
}
"""By what torch calls the device."""


def require_sense(recipe: Recipe) -> None:
    """Check the settings that are allowed alone but not together.

    Raises:
        UsageError: some are not; the sentence names key, value and what is allowed.
    """
    optimizer = recipe.optimizer
    if isinstance(optimizer, SGD) and optimizer.nesterov and not optimizer.momentum:
        raise UsageError(
            "optimizer.nesterov = true is not allowed: it needs momentum, and optimizer.momentum is 0; set one of them."
        )
    if isinstance(recipe.stopping, Patience) and not recipe.validation.images:
        raise UsageError(
            "stopping.name = patience is not allowed: it waits for a better accuracy on held-out images, and "
            "validation.images is 0; hold some out."
        )
    if recipe.images_at_once > recipe.batch_size:
        raise UsageError(
            f"images_at_once = {recipe.images_at_once:,} is not allowed: batch_size is {recipe.batch_size:,}; choose "
            "that at most, or 0 for the whole batch."
        )
    schedule, epochs = recipe.schedule, f"the run has {recipe.epochs:,} epoch{'s' * (recipe.epochs > 1)}"
    if isinstance(schedule, WarmedUp) and schedule.warmup_epochs >= recipe.epochs:
        raise UsageError(
            f"schedule.warmup_epochs = {schedule.warmup_epochs:g} is not allowed: {epochs}; choose less than that."
        )
    if isinstance(schedule, StepDecay) and schedule.every_epochs >= recipe.epochs:
        raise UsageError(
            f"schedule.every_epochs = {schedule.every_epochs:,} is not allowed: {epochs}, and the learning rate would "
            "never fall; choose less than that, or schedule.name = constant."
        )


def require_precision(precision: PrecisionName, device: DeviceName) -> None:
    """Check that a device has a precision; one that is not chosen yet may have any.

    Raises:
        UsageError: it has not.
    """
    if precision not in PRECISIONS.get(device, (precision,)):
        raise UsageError(
            f"precision = {precision} is not allowed on {'a CPU' if device == 'cpu' else device}: it needs a GPU that "
            f"torch calls cuda; choose one of {', '.join(PRECISIONS[device])}."
        )
