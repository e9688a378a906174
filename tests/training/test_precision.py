"""Precision and the layout in memory: torch's own autocast and scaler, step by step, and all of it in a checkpoint."""

import copy

import pytest
import torch
from torch import nn, optim
from torch.nn import functional

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import UsageError
from cifartui.training.checks import require_precision
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.precision import Precision, set_products
from cifartui.training.recipes.parts import Augment
from cifartui.training.recipes.recipe import PrecisionName
from cifartui.training.setup import prepare
from cifartui.training.state import OptimizerState, Scale, Weights, collect, restore
from cifartui.training.step import OVERFLOWS_IN_A_ROW, StepEngine
from cifartui.training.watch import NotFinite
from tests.training.running import plan
from tests.training.test_step import CPU, Narrow, Small, batches, same, state_of

STEPS = 60
SCALE = 2.0**8
"""With which no gradient here overflows."""


def engine_in(precision: PrecisionName, module: nn.Module) -> tuple[StepEngine, Precision]:
    """An engine; fp16 computes on a CPU as well, if slowly."""
    optimizer = optim.SGD(module.parameters(), lr=0.05, momentum=0.9, fused=True)
    how = Precision(precision, CPU)
    return StepEngine(module, optimizer, Augmenter(Augment(), 1), functional.cross_entropy, CPU, precision=how), how


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_steps_are_those_of_torchs_autocast_to_the_bit(precision: PrecisionName, dtype: torch.dtype) -> None:
    """As torch's notes on mixed precision write them: losses, weights, momentum and scale."""
    torch.manual_seed(3)
    ours = Small()
    theirs = copy.deepcopy(ours)
    optimizer = optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE, enabled=precision == "fp16")
    torch.manual_seed(4)
    expected = []
    for images, labels in batches(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            loss = functional.cross_entropy(theirs(images), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        expected.append(loss.item())
    engine, how = engine_in(precision, ours)
    if how.scaler:
        Scale(how).restore({}, {"scale": SCALE, "growth_tracker": 0})
    torch.manual_seed(4)
    taken = [engine.take(images, labels, step) for step, (images, labels) in enumerate(batches(STEPS))]
    assert [loss.item() for loss, _ in taken] == expected
    assert same(dict(ours.state_dict()), dict(theirs.state_dict()))
    for name, weight in theirs.named_parameters():
        assert torch.equal(state_of(engine)[f"momentum_buffer/{name}"], optimizer.state[weight]["momentum_buffer"])
    assert (how.scaler.get_scale() if how.scaler else 1.0) == scaler.get_scale()
    assert engine.not_finite() is None


def test_an_overflow_halves_the_scale_and_is_no_trouble() -> None:
    """The step is left out and nothing told, until it goes on too long; a loss that is not finite is told at once."""
    module = Small()
    engine, how = engine_in("fp16", module)
    assert how.scaler is not None
    (images, labels), *_ = batches(1)
    before = state_of(engine)
    module.gradient_becomes = float("inf")
    engine.take(images, labels, 0)
    assert engine.not_finite() is None
    assert how.scaler.get_scale() == 2**15
    after = state_of(engine)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    for step in range(1, OVERFLOWS_IN_A_ROW + 2):
        engine.take(images, labels, step)
    assert engine.not_finite() == NotFinite(step=OVERFLOWS_IN_A_ROW + 1, what="bias", skipped=2)
    module.gradient_becomes, module.logits_become = None, float("nan")
    engine.take(images, labels, 100)
    assert engine.not_finite() == NotFinite(step=101, what="the loss", skipped=1)


def test_the_scale_goes_on_from_a_checkpoint() -> None:
    """Another engine with the state of the first, after an overflow, takes the same steps."""
    torch.manual_seed(3)
    engines, parts = [], []
    for _ in range(2):
        module = Small()
        engine, how = engine_in("fp16", module)
        engines.append(engine)
        parts.append((Weights(module), OptimizerState(module, engine._optimizer), Scale(how)))
    first, second = engines
    *some, one, other = batches()
    for step, batch in enumerate(some):
        first._module.gradient_becomes = float("inf") if step == 2 else None
        first.take(*batch, step)
    restore(parts[1], collect(parts[0]))
    assert parts[1][2].facts() == {"scale": 2.0**15, "growth_tracker": len(some) - 3}
    for engine in engines:
        torch.manual_seed(4)
        engine.take(*one, 10)
        engine.take(*other, 11)
    assert same(state_of(first), state_of(second))
    assert parts[0][2].facts() == parts[1][2].facts()


def test_a_step_that_does_not_fit_leaves_the_scale() -> None:
    """What fits is looked for with the scale as it was, and the next step goes on with it."""
    module = Narrow(fits=4)
    engine, how = engine_in("fp16", module)
    (images, labels), *_ = batches(1)
    with pytest.raises(Exception, match="take at most 4 at once"):
        engine.take(images, labels, 0)
    engine.images_at_once = 4
    engine.take(images, labels, 0)
    assert Scale(how).facts() == {"scale": 2.0**16, "growth_tracker": 1}


def test_channels_lie_last_in_weights_images_and_momentum(sketches: DatasetFacts) -> None:
    """Also in the momentum that comes out of a checkpoint."""
    job = prepare(plan(sketches.name, "network=compact", "channels_last=true", "augment.crop_padding=2"))
    images, labels = next(iter(job.batches.in_order(torch.arange(4))))
    job.engine.take(images, labels, 0)
    optimizer_state = next(part for part in job.parts if isinstance(part, OptimizerState))
    optimizer_state.restore({name: tensor.contiguous() for name, tensor in optimizer_state.tensors().items()}, {})
    weight = job.module.get_parameter("conv2.weight")
    momentum = optimizer_state._optimizer.state[weight]["momentum_buffer"]
    for tensor in (weight, momentum, Augmenter(job.recipe.augment, 1, channels_last=True)(images, 0)):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
        assert not tensor.is_contiguous()


def test_only_tf32_shortens_the_factors_of_float32() -> None:
    """Of matrix products and of convolutions; for a CPU nothing is set."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        for device, name, shortens in (("cuda", "tf32", True), ("cpu", "fp32", True), ("cuda", "bf16", False)):
            set_products(name, torch.device(device))
            assert (torch.get_float32_matmul_precision() == "high") == shortens
            assert torch.backends.cudnn.allow_tf32 == shortens
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize(("device", "allowed"), [("cpu", "fp32, bf16"), ("mps", "fp32, bf16")])
@pytest.mark.parametrize("precision", ["tf32", "fp16"])
def test_a_precision_that_the_device_has_not_is_refused(device: str, allowed: str, precision: str) -> None:
    """With what it has; which device it will be is seen when the run starts."""
    with pytest.raises(UsageError, match=rf"precision = {precision} is not allowed on .* choose one of {allowed}\."):
        require_precision(precision, device)
    require_precision(precision, "auto")
    require_precision(precision, "cuda")
