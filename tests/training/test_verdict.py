"""What limits the speed: a table of measured situations, each with its verdict and its remedy."""

import pytest

from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.settings import override
from cifartui.training.run.events import SpeedMeasured
from cifartui.training.verdict import MOST_BATCH, judge_speed

TUTORIAL = load_recipe("tutorial")


def measured(
    *,
    steps: int = 10_000,
    batch: int = 4,
    waiting: float = 0.05,
    fixed: float | None = None,
    quickest: float = 0.0,
    reached: float = 0.0,
    product: float = 0.0,
) -> SpeedMeasured:
    """Five seconds of training."""
    return SpeedMeasured(
        step=steps,
        steps=steps,
        images=steps * batch,
        seconds=5.0,
        waiting=waiting,
        fixed=fixed,
        quickest=quickest,
        multiply_adds=reached,
        multiply_adds_of_product=product,
    )


SITUATIONS = {
    "small steps": (measured(fixed=4.0), [], False, "launching", 0.8, ("batch_size=64",)),
    "small steps on a GPU": (measured(fixed=4.9), [], True, "launching", 0.98, ("batch_size=512",)),
    "images cost nothing measurable": (
        measured(fixed=4.95),
        [],
        False,
        "launching",
        0.99,
        (f"batch_size={MOST_BATCH}",),
    ),
    "small steps of large batches": (
        *(measured(steps=900, batch=2048, fixed=3.0), ["batch_size=2048"], True),
        *("launching", 0.6, ()),
    ),
    "a slow DataLoader": (
        *(measured(waiting=3.0, fixed=1.9), ["loader.kind=dataloader"], False),
        *("data", 0.6, ("loader.kind=resident",)),
    ),
    "images picked slowly": (measured(waiting=1.5, fixed=0.1), [], False, "data", 0.3, ()),
    "waiting a little": (measured(waiting=0.9, fixed=2.6), [], False, "launching", 0.52, ("batch_size=32",)),
    "a busy processor": (measured(fixed=4.0, quickest=1e-4), [], False, "others", 0.79, ()),
    "a processor busy with workers": (
        *(measured(quickest=2e-4), ["loader.kind=dataloader"], False),
        *("others", 0.59, ("loader.kind=resident",)),
    ),
    "a processor busy for moments": (
        measured(fixed=4.0, quickest=4e-4),
        [],
        False,
        "launching",
        0.8,
        ("batch_size=64",),
    ),
    "large products on a CPU": (
        *(measured(fixed=0.5, reached=30e9, product=60e9), [], False),
        *("arithmetic", 0.99, ("channels_last=true",)),
    ),
    "large products on a GPU": (
        *(measured(fixed=0.5, reached=30e12, product=60e12), [], True),
        *("arithmetic", 0.99, ("precision=bf16", "channels_last=true")),
    ),
    "nothing left to set": (
        *(measured(reached=30e12, product=60e12), ["precision=bf16", "channels_last=true"], True),
        *("arithmetic", 0.99, ()),
    ),
    "many small products": (
        *(measured(fixed=0.5, reached=3e9, product=60e9), [], False),
        *("memory", 0.99, ("channels_last=true",)),
    ),
    "code of one's own": (measured(product=60e9), [], False, "step", 0.99, ("channels_last=true",)),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_verdict(situation: str) -> None:
    """The limit, its share of the time, and what the program can set itself, which a recipe takes."""
    speed, settings, on_cuda, limit, share, remedy = SITUATIONS[situation]
    recipe = override(TUTORIAL, settings)
    verdict = judge_speed(speed, recipe, on_cuda=on_cuda)
    assert verdict
    assert (verdict.limit, verdict.settings) == (limit, remedy)
    assert verdict.share == pytest.approx(share, abs=0.005)
    assert f"{share:.0%}" in verdict.verdict
    assert verdict.remedy
    assert override(recipe, verdict.settings) != recipe or not verdict.settings


def test_verdict_says_what_was_measured() -> None:
    """In milliseconds a step, or in multiply-adds a second."""
    launching = judge_speed(measured(fixed=4.0), TUTORIAL, on_cuda=False)
    assert launching
    assert launching.verdict == "launching small steps takes 80% of the time"
    assert launching.why == "of 0.5 ms a step, 0.4 ms do not depend on its images"
    arithmetic = judge_speed(measured(reached=12.3e9, product=45e9), TUTORIAL, on_cuda=False)
    assert arithmetic
    assert arithmetic.why == "12.3 G multiply-adds a second; a matrix product has 45 G here"


def test_too_few_steps_say_nothing() -> None:
    """One step is no measurement, and no time is none."""
    assert judge_speed(measured(steps=1), TUTORIAL, on_cuda=False) is None
