"""What limits the speed of a training, why, and what to do: from what its loop measured; without torch."""

from typing import Literal

import msgspec

from cifartui.training.recipes.recipe import Recipe
from cifartui.training.run.events import SpeedMeasured

Limit = Literal["data", "others", "launching", "memory", "arithmetic", "step"]
"""`others`: what else runs on the processor; `step`: the step itself, where it was not measured what of it."""

LEAST_STEPS = 2
"""Fewer say nothing (TraceML's bound)."""
WAITING_SHARE = 0.2
"""Of the time: waiting for batches more than that is what to mend first (TraceML's bound for critical)."""
SLOWED_SHARE = 0.5
"""Of the time: where steps take more than that beyond the quickest of them, something else has the processor."""
FIXED_SHARE = 0.5
"""Of the time: where more than that does not depend on how many images a step has, launching it is what takes time."""
PRODUCT_SHARE = 0.2
"""Of the multiply-adds a second of a matrix product: with fewer, moving numbers to and fro takes the time."""
FIXED_SHARE_AIM = 0.3
"""What is left of it with the batch size suggested, about."""
MOST_BATCH = 512
"""That is suggested: larger ones change what is learned too much."""


class SpeedVerdict(msgspec.Struct, frozen=True):
    """Verdict, why, next."""

    limit: Limit
    share: float
    """Of the time, 0-1."""
    verdict: str
    """`launching small steps takes 83 % of the time`."""
    why: str
    """What was measured."""
    remedy: str
    """What to do."""
    settings: tuple[str, ...] = ()
    """The same as `key=value`, where the program can do it itself."""


def judge_speed(measured: SpeedMeasured, recipe: Recipe, *, on_cuda: bool) -> SpeedVerdict | None:
    """What limits a run with these settings; None as long as too few steps were measured."""
    if measured.steps < LEAST_STEPS or measured.seconds <= 0:
        return None
    waiting = measured.waiting / measured.seconds
    if waiting >= WAITING_SHARE:
        return _waiting_for_data(measured, recipe, waiting)
    slowed = measured.seconds - measured.waiting - measured.steps * measured.quickest
    if measured.quickest and slowed >= SLOWED_SHARE * measured.seconds:
        return _slowed_by_others(measured, recipe, slowed / measured.seconds)
    if measured.fixed is not None and measured.fixed >= FIXED_SHARE * measured.seconds:
        return _launching(measured, recipe, measured.fixed)
    return _computing(measured, recipe, 1 - waiting, on_cuda=on_cuda)


def _waiting_for_data(measured: SpeedMeasured, recipe: Recipe, share: float) -> SpeedVerdict:
    step, before = _per_step(measured, measured.seconds), _per_step(measured, measured.waiting)
    why = f"of {step} a step, {before} pass before its batch is there"
    verdict = f"waiting for batches takes {share:.0%} of the time"
    if recipe.loader.kind == "dataloader":
        remedy = "keep the images on the training device as one tensor"
        return SpeedVerdict("data", share, verdict, why, remedy, ("loader.kind=resident",))
    remedy = "nothing to set: the images lie in memory, and picking and normalising them is what is left"
    return SpeedVerdict("data", share, verdict, why, remedy)


def _slowed_by_others(measured: SpeedMeasured, recipe: Recipe, share: float) -> SpeedVerdict:
    why = f"a step takes {_per_step(measured, measured.seconds)}, and the quickest {1e3 * measured.quickest:.3g} ms"
    verdict = f"other work on this processor takes {share:.0%} of the time"
    if recipe.loader.kind == "dataloader":
        remedy = "the loader's workers are part of it: keep the images in memory as one tensor"
        return SpeedVerdict("others", share, verdict, why, remedy, ("loader.kind=resident",))
    return SpeedVerdict("others", share, verdict, why, "let it end first, or train where there are more cores")


def _launching(measured: SpeedMeasured, recipe: Recipe, fixed: float) -> SpeedVerdict:
    share = fixed / measured.seconds
    step, always = _per_step(measured, measured.seconds), _per_step(measured, fixed)
    why = f"of {step} a step, {always} do not depend on its images"
    verdict = f"launching small steps takes {share:.0%} of the time"
    batch_size = _larger_batch(measured, recipe, fixed)
    if batch_size <= recipe.batch_size:
        return SpeedVerdict("launching", share, verdict, why, "a smaller network has fewer operations to launch")
    remedy = "more images a step, and a learning rate for them"
    return SpeedVerdict("launching", share, verdict, why, remedy, (f"batch_size={batch_size}",))


def _larger_batch(measured: SpeedMeasured, recipe: Recipe, fixed: float) -> int:
    """The next power of two with which about `FIXED_SHARE_AIM` of a step's time would not depend on its images."""
    fixed_a_step = fixed / measured.steps
    an_image = (measured.seconds - measured.waiting - fixed) / measured.images
    batch_size = 1
    while batch_size < MOST_BATCH and fixed_a_step > FIXED_SHARE_AIM * (fixed_a_step + batch_size * an_image):
        batch_size *= 2
    return batch_size


def _computing(measured: SpeedMeasured, recipe: Recipe, share: float, *, on_cuda: bool) -> SpeedVerdict:
    reached, product = measured.multiply_adds, measured.multiply_adds_of_product
    settings: list[str] = []
    if on_cuda and recipe.precision in ("fp32", "tf32"):
        settings.append("precision=bf16")
    if not recipe.channels_last:
        settings.append("channels_last=true")
    choices = " and ".join(settings)
    remedy = f"try {choices}" if choices else "a smaller network" if on_cuda else "a smaller network, or a GPU"
    if not (reached and product):
        verdict = f"the steps themselves take {share:.0%} of the time"
        return SpeedVerdict("step", share, verdict, "what of it was not measured", remedy, tuple(settings))
    why = f"{_rate(reached)} multiply-adds a second; a matrix product has {_rate(product)} here"
    if reached >= PRODUCT_SHARE * product:
        verdict = f"the arithmetic takes {share:.0%} of the time"
        return SpeedVerdict("arithmetic", share, verdict, why, remedy, tuple(settings))
    verdict = f"moving numbers through memory takes most of {share:.0%} of the time"
    return SpeedVerdict("memory", share, verdict, why, remedy, tuple(settings))


def _per_step(measured: SpeedMeasured, seconds: float) -> str:
    """A time as its part of each step, in milliseconds."""
    return f"{1e3 * seconds / measured.steps:.3g} ms"


def _rate(per_second: float) -> str:
    """`12 G`."""
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if per_second >= factor:
            return f"{per_second / factor:.3g} {letter}"
    return f"{per_second:.3g}"
