"""The optimizer step: the tutorial's, to the bit; nothing of a step that went wrong stays."""

import copy
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn, optim
from torch.nn import functional

from cifartui.training.device_errors import device_failure, is_out_of_memory
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.recipes.parts import Augment
from cifartui.training.step import OutOfMemory, StepEngine
from cifartui.training.watch import PENDING_STEPS, FiniteWatch, NotFinite
from tests.tutorial import Net

CPU = torch.device("cpu")
STEPS = 12
Batch = tuple[torch.Tensor, torch.Tensor]


class Spoiled(torch.autograd.Function):
    """The weight as it is; its gradient is NaN in one place while `module.spoils` says so."""

    @staticmethod
    def forward(context: Any, weight: torch.Tensor, value: float) -> torch.Tensor:
        """Pass the weight on."""
        context.value = value
        return weight.view_as(weight)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> Any:
        """Pass the gradient on, spoiled."""
        spoiled = gradients[0].clone()
        spoiled.view(-1)[-1] = context.value
        return spoiled, None


class Small(nn.Module):
    """Convolution, batch norm and dropout, and ways to go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4 * 6 * 6, 10)
        self.bias = nn.Parameter(torch.zeros(10))
        self.logits_become: float | None = None
        self.gradient_becomes: float | None = None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 10]` of images `[N, 3, 8, 8]`."""
        answers: torch.Tensor = self.head(self.drop(functional.relu(self.norm(self.conv(images)))).flatten(1))
        bias: torch.Tensor = (
            self.bias if self.gradient_becomes is None else Spoiled.apply(self.bias, self.gradient_becomes)
        )
        answers = answers + bias
        return answers * (1.0 if self.logits_become is None else self.logits_become)


class Narrow(Small):
    """Runs out of memory when more images come at once than fit, half-way through as a GPU would."""

    def __init__(self, fits: int, error: Callable[[], BaseException] = lambda: torch.OutOfMemoryError("full")) -> None:
        super().__init__()
        self.fits, self.error = fits, error
        self.tried: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """As `Small`."""
        self.tried.append(len(images))
        answers = super().forward(images)
        if len(images) > self.fits:
            raise self.error()
        return answers


def engine_of(module: nn.Module, momentum: float = 0.9, augment: Augment | None = None) -> StepEngine:
    """An engine with the optimizer of the recipes."""
    optimizer = optim.SGD(module.parameters(), lr=0.05, momentum=momentum, fused=True)
    return StepEngine(module, optimizer, Augmenter(augment or Augment(), 1), functional.cross_entropy, CPU)


def batches(count: int = STEPS, size: int = 8, side: int = 8) -> list[Batch]:
    """Images of random numbers, labelled at random."""
    generator = torch.Generator().manual_seed(5)
    return [
        (
            torch.randn(size, 3, side, side, generator=generator),
            torch.randint(0, 10, (size,), generator=generator),
        )
        for _ in range(count)
    ]


def state_of(engine: StepEngine) -> dict[str, torch.Tensor]:
    """Weights, buffers and momentum, copied."""
    module, optimizer = engine._module, engine._optimizer
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for name, weight in module.named_parameters():
        for field, value in optimizer.state.get(weight, {}).items():
            state[f"{field}/{name}"] = value.clone()
    return state


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two states are equal to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_steps_are_the_tutorials_to_the_bit() -> None:
    """Losses, logits, weights and momentum after some steps equal those of the tutorial's four lines."""
    torch.manual_seed(3)
    ours = Net()
    theirs = copy.deepcopy(ours)
    optimizer = optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, fused=True)
    engine = engine_of(ours)
    for step, (images, labels) in enumerate(batches(side=32, size=4)):
        optimizer.zero_grad()
        logits = theirs(images)
        loss = functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        our_loss, our_logits = engine.take(images, labels, step)
        assert torch.equal(our_loss, loss)
        assert torch.equal(our_logits, logits)
        assert not our_loss.requires_grad
        assert not our_logits.requires_grad
    assert same(
        state_of(engine),
        state_of(StepEngine(theirs, optimizer, Augmenter(Augment(), 1), functional.cross_entropy, CPU)),
    )
    assert engine.not_finite() is None


def _nan_loss(module: Small, batch: Batch) -> Batch:
    module.logits_become = float("nan")
    return batch


def _infinite_loss(module: Small, batch: Batch) -> Batch:
    """Logits so far apart that the cross-entropy overflows."""
    module.logits_become = 3e38
    return batch


def _nan_gradient(module: Small, batch: Batch) -> Batch:
    module.gradient_becomes = float("nan")
    return batch


def _infinite_gradient(module: Small, batch: Batch) -> Batch:
    module.gradient_becomes = float("-inf")
    return batch


def _nan_pixel(module: Small, batch: Batch) -> Batch:
    images = batch[0].clone()
    images[2, 1, 4, 4] = float("nan")
    return images, batch[1]


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (_nan_loss, "the loss"),
        (_infinite_loss, "the loss"),
        (_nan_gradient, "bias"),
        (_infinite_gradient, "bias"),
        (_nan_pixel, "the loss"),
    ],
)
@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("bad", [0, 5])
@pytest.mark.parametrize("parts", [0, 3])
def test_a_step_that_is_not_finite_is_named_and_left_out(
    spoil: Callable[[Small, Batch], Batch], what: str, momentum: float, bad: int, parts: int
) -> None:
    """Weights, momentum and buffers are as if the step had not been, also if it is the first; the others count.

    The reference draws the numbers for the dropout of that step, which cannot be undone on a GPU without waiting.
    """
    torch.manual_seed(3)
    module = Small()
    reference = copy.deepcopy(module)
    engine, reference_engine = engine_of(module, momentum), engine_of(reference, momentum)
    engine.images_at_once = reference_engine.images_at_once = parts

    torch.manual_seed(4)
    for step, batch in enumerate(batches()):
        engine.take(*(spoil(module, batch) if step == bad else batch), step)
        module.logits_become = module.gradient_becomes = None
    found = engine.not_finite()

    torch.manual_seed(4)
    for step, (images, labels) in enumerate(batches()):
        if step != bad:
            reference_engine.take(images, labels, step)
            continue
        buffers = [buffer.clone() for buffer in reference.buffers()]
        with torch.no_grad():
            for part in images.tensor_split(-(-len(images) // (parts or len(images)))):
                reference(part)
        for buffer, before in zip(reference.buffers(), buffers, strict=True):
            buffer.copy_(before)

    assert found == NotFinite(step=bad + 1, what=what, skipped=1)
    assert engine.not_finite() is None, "it is told once"
    state, expected = state_of(engine), state_of(reference_engine)
    assert same(state, expected)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
    assert any(not torch.equal(state[name], tensor) for name, tensor in state_of(engine_of(Small())).items())


@pytest.mark.parametrize("every", [1, 4, STEPS])
def test_when_it_is_asked_changes_nothing(every: int) -> None:
    """Three bad steps of twelve: the same weights however often it is read; counts begin anew."""
    torch.manual_seed(3)
    module = Small()
    engine = engine_of(module)
    torch.manual_seed(4)
    found = []
    for step, batch in enumerate(batches()):
        engine.take(*(_nan_pixel(module, batch) if step in (4, 5, 9) else batch), step)
        if (step + 1) % every == 0:
            found.append(engine.not_finite())
    told = [(one.step, one.skipped) for one in found if one]
    assert told == {1: [(5, 1), (6, 1), (10, 1)], 4: [(5, 2), (10, 1)], STEPS: [(5, 3)]}[every]

    torch.manual_seed(3)
    again = engine_of(Small())
    torch.manual_seed(4)
    for step, batch in enumerate(batches()):
        again.take(*(_nan_pixel(module, batch) if step in (4, 5, 9) else batch), step)
    assert same(state_of(engine), state_of(again))


@pytest.mark.parametrize("runs_behind", [False, True])
class TestFiniteWatch:
    """On the CPU and, by what it keeps, as on a GPU."""

    def test_the_first_weight_is_named_whenever_it_is_read(self, runs_behind: bool) -> None:
        """A gradient that is not there shifts no name; values are looked at, not changed."""
        watch = FiniteWatch(["one", "two", "three"], CPU, runs_behind=runs_behind)
        fine, nan = torch.tensor([3e38, -0.0, 1e-45]), torch.tensor([1.0, float("nan")])
        loss, kept = torch.tensor(2.0), fine.clone()
        assert watch.check(1, loss, [fine, fine, fine]).item() == 0.0
        assert watch.check(2, loss, [fine, None, nan]).item() == 1.0
        assert watch.check(3, loss, [None, None, fine]).item() == 0.0
        assert watch.check(4, loss, [nan, fine, fine]).item() == 1.0
        assert watch.read() == NotFinite(step=2, what="three", skipped=2)
        assert watch.check(5, torch.tensor(float("inf")), [nan, nan, nan]).item() == 1.0
        assert watch.read() == NotFinite(step=5, what="the loss", skipped=1)
        assert watch.read() is None
        assert torch.equal(fine, kept)
        assert loss.item() == 2.0

    def test_more_steps_than_flags(self, runs_behind: bool) -> None:
        """Nobody reads for a long time: the first bad step stays known, all are counted."""
        watch = FiniteWatch(["one"], CPU, runs_behind=runs_behind)
        bad, good = torch.tensor([float("nan")]), torch.ones(1)
        for step in range(1, 2 * PENDING_STEPS + 10):
            flag = watch.check(step, good, [bad if step in (7, PENDING_STEPS + 7, 2 * PENDING_STEPS + 7) else good])
            assert bool(flag) == (step % PENDING_STEPS == 7)
        assert watch.read() == NotFinite(step=7, what="one", skipped=3)


@pytest.mark.parametrize("size", [8, 7])
@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 100])
def test_parts_of_a_batch_give_the_gradients_of_the_whole(size: int, at_once: int) -> None:
    """Equal parts and a rest: loss, logits, weights and momentum are those of the whole batch up to rounding."""
    torch.manual_seed(3)
    whole = Net().double()
    parted = copy.deepcopy(whole)
    engine, parts = engine_of(whole), engine_of(parted)
    parts.images_at_once = at_once
    for step, (images, labels) in enumerate(batches(4, size, side=32)):
        loss, logits = engine.take(images.double(), labels, step)
        parts_loss, parts_logits = parts.take(images.double(), labels, step)
        torch.testing.assert_close(parts_loss, loss)
        torch.testing.assert_close(parts_logits, logits)
    state, expected = state_of(parts), state_of(engine)
    for name in expected:
        torch.testing.assert_close(state[name], expected[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "fits", "told"), [(8, 7, 4), (8, 4, 4), (8, 3, 2), (8, 1, 1), (8, 0, 0), (7, 6, 3), (1, 0, 0)]
)
@pytest.mark.parametrize("steps_before", [0, 3])
def test_out_of_memory_undoes_the_step_and_tells_what_fits(size: int, fits: int, told: int, steps_before: int) -> None:
    """Weights, momentum, buffers and generator are what they were; half of the batch is tried, then half of that."""
    torch.manual_seed(3)
    module = Narrow(fits=100)
    engine = engine_of(module, augment=Augment(flip=True))
    *earlier, (images, labels) = batches(steps_before + 1, size)
    for step, batch in enumerate(earlier):
        engine.take(*batch, step)
    before, generator = state_of(engine), torch.get_rng_state()
    module.fits = fits
    with pytest.raises(OutOfMemory) as caught:
        engine.take(images, labels, steps_before)
    after = state_of(engine)
    assert caught.value.fits == told
    assert caught.value.__context__ is None, "the first error would hold the step's memory"
    assert {name: after.pop(name) for name in list(after) if name not in before} == {}
    assert same(after, before)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(weight.grad is None for weight in module.parameters())
    assert engine.not_finite() is None


def test_the_step_goes_on_in_parts_that_fit() -> None:
    """After running out of memory, the same batch in parts is the step that an undisturbed run in such parts takes."""
    torch.manual_seed(3)
    module = Narrow(fits=3)
    undisturbed = engine_of(copy.deepcopy(module))
    engine = engine_of(module)
    torch.manual_seed(4)
    with pytest.raises(OutOfMemory, match="8 images at once needs more memory than there is; take at most 2 at once"):
        engine.take(*batches()[0], 0)
    for each in (engine, undisturbed):
        torch.manual_seed(4)
        each.images_at_once = 2
        for step, batch in enumerate(batches()):
            each.take(*batch, step)
    assert same(state_of(engine), state_of(undisturbed))
    module.fits = 1
    with pytest.raises(OutOfMemory, match=r"2 images at once .* at most 1 at once"):
        engine.take(*batches()[0], STEPS)


def test_nothing_of_the_step_stays_in_memory() -> None:
    """What the step computed before it failed is gone by the time that the error arrives."""
    module = Narrow(fits=0)
    computed: list[weakref.ref[torch.Tensor]] = []
    module.drop.register_forward_hook(lambda _module, _inputs, output: computed.append(weakref.ref(output)))
    with pytest.raises(OutOfMemory) as caught:
        engine_of(module).take(*batches()[0], 0)
    assert caught.value.fits == 0
    assert len(computed) == len(module.tried) == 4
    assert [output() for output in computed] == [None] * 4


def test_a_full_memory_has_many_names() -> None:
    """The allocator of the CPU says it as a RuntimeError; other errors of torch are none of these."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not is_out_of_memory(caught.value)
    assert not is_out_of_memory(torch.AcceleratorError("CUDA error: device-side assert triggered"))


def test_another_error_of_the_network_is_not_taken_for_it() -> None:
    """It comes through as it is."""
    module = Narrow(fits=0, error=lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        engine_of(module).take(*batches()[0], 0)
    assert module.tried == [8]


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be …"),
        RuntimeError("CUDA error: unspecified launch failure"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(…)`"),
        RuntimeError("HIP error: the operation cannot be performed in the present state"),
    ],
)
def test_a_failed_gpu_is_told_from_a_fault_of_the_program(error: RuntimeError) -> None:
    """Its sentence names the device and the first line of the cause; words alone mean nothing on a CPU."""
    gpu = torch.device("cuda", 0)
    sentence = device_failure(error, gpu)
    assert sentence is not None
    assert sentence.startswith(f"the device cuda:0 failed ({str(error).splitlines()[0]}); ")
    assert bool(device_failure(error, CPU)) == isinstance(error, torch.AcceleratorError)
    assert device_failure(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), gpu) is None
    assert device_failure(torch.OutOfMemoryError("CUDA error: out of memory"), gpu) is None
    assert device_failure(ValueError("CUDA error"), gpu) is None
