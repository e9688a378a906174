"""Training on a GPU: the same to the bit whatever happens to it, and the troubles that only a GPU has."""

import gc
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.training.checks import PRECISIONS
from cifartui.training.launch import start_run
from cifartui.training.resuming import continue_run, plan_continuation
from cifartui.training.run.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.run.controls import Resume, send
from cifartui.training.run.events import NotFiniteFound, RunFinished, StateChanged, StepsReported
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.run.follow import read_history
from cifartui.training.setup import prepare
from cifartui.training.state import collect
from cifartui.training.step import OutOfMemory
from tests.training.running import losses, plan, train_here, train_in
from tests.training.troubled import TROUBLED_STEP
from tests.training.undisturbed import EVERYTHING, NETWORK

pytestmark = pytest.mark.gpu

LIMIT_SECONDS = 240
"""For a run of some hundred steps, with the start of its host."""


def on_gpu(gpu: torch.device, *overrides: str) -> RunConfig:
    """A run of the small data set on the accelerator."""
    assert gpu.type in ("cuda", "mps")
    return msgspec.structs.replace(plan("few", *overrides), device="cuda" if gpu.type == "cuda" else "mps")


def sha256_of_last(run: Run) -> str:
    return find_checkpoint(run, "last").sha256


def steps_taken(run: Run) -> int:
    return read_history(run)[0].step if run.journal_file.exists() else 0


# THE SAME TO THE BIT


@pytest.fixture
def chancy(gpu: torch.device, tmp_path: Path, sketches: DatasetFacts) -> RunConfig:
    """1,000 steps that make use of all that a recipe has, on CUDA with the scaler of fp16."""
    network = tmp_path / "chancy.toml"
    network.write_text(NETWORK)
    precision = "fp16" if gpu.type == "cuda" else "bf16"
    own = (f"network={network}", "epochs=25", "validation.images=40", f"precision={precision}", "stopping.name=never")
    return on_gpu(gpu, *EVERYTHING, *own)


def test_killed_and_continued_is_as_never_killed(chancy: RunConfig) -> None:
    """Two hosts that nobody disturbs and one that is killed twice end with the same weights, momentum, generators."""
    ends = []
    for _ in range(2):
        run, host = start_run(chancy, now=True)
        assert host.wait(LIMIT_SECONDS) == 0
        ends.append(sha256_of_last(run))
    run, host = start_run(chancy, now=True)
    for share in (0.3, 0.6):
        deadline = time.monotonic() + LIMIT_SECONDS
        while steps_taken(run) < share * 1_000:
            assert host.poll() is None, run.host_log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(host.pid, signal.SIGKILL)
        host.wait()
        host = continue_run(plan_continuation(run), now=True)
    assert host.wait(LIMIT_SECONDS) == 0
    assert ends == [sha256_of_last(run)] * 2


def test_gpu_learns_what_a_cpu_learns(gpu: torch.device, sketches: DatasetFacts) -> None:
    """The same order and weights at the start: the first log lines differ by rounding alone."""
    _, on_cpu = train_here(plan("few", "epochs=2"))
    _, on_accelerator = train_here(on_gpu(gpu, "epochs=2"))
    assert losses(on_accelerator) == pytest.approx(losses(on_cpu), rel=2e-2)


@pytest.mark.parametrize("precision", PRECISIONS["cuda"])
def test_every_precision_learns_the_same(cuda: torch.device, sketches: DatasetFacts, precision: str) -> None:
    """The log lines are those of float32 but for the bits that are left out; no step is lost."""
    _, exact = train_here(on_gpu(cuda, "epochs=2", "channels_last=true"))
    _, short = train_here(on_gpu(cuda, "epochs=2", "channels_last=true", f"precision={precision}"))
    assert losses(short) == pytest.approx(losses(exact), rel=5e-2)
    assert short[-1] == RunFinished(reason="finished")


# TROUBLES


def test_step_that_is_not_finite_is_named_and_left_out(gpu: torch.device, sketches: DatasetFacts) -> None:
    """The exact step, though the device runs behind; the weights stay finite, and the run goes on."""
    run = create_run(on_gpu(gpu, "network=tests.training.troubled:NanOnce", "epochs=3"))
    events = []
    for event in train_in(run, hold=True):
        events.append(event)
        if isinstance(event, StateChanged) and event.state == "paused":
            send(run.controls_file, Resume())
    (found,) = [event for event in events if isinstance(event, NotFiniteFound)]
    assert (found.step, found.what, found.skipped) == (TROUBLED_STEP, "the loss", 1)
    assert events[-1] == RunFinished(reason="finished")


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_bad_step_changes_nothing_that_any_optimizer_remembers(
    gpu: torch.device, sketches: DatasetFacts, optimizer: str
) -> None:
    """Weights, their average and each optimizer's own running means, whose update is left out on the device.

    But for a count of steps beside Apple's GPUs, which RMSprop never reads.
    """
    job = prepare(on_gpu(gpu, f"optimizer.name={optimizer}", "clipping.name=norm", "average.name=ema"))
    images, labels = torch.randn(4, 3, 32, 32, device=gpu), torch.arange(4, device=gpu)
    for step in range(3):
        job.engine.take(images, labels, step)
    before = collect(part for part in job.parts if part.name in ("weights", "optimizer", "average"))
    job.engine.take(images * float("nan"), labels, 3)
    after = collect(part for part in job.parts if part.name in ("weights", "optimizer", "average"))
    assert [name for name in before.tensors if not torch.equal(before.tensors[name], after.tensors[name])] == [
        name
        for name in before.tensors
        if (gpu.type, optimizer) == ("mps", "rmsprop") and name.startswith("optimizer/step/")
    ]
    assert before.facts == after.facts
    found = job.engine.not_finite()
    assert found is not None
    assert (found.step, found.skipped) == (4, 1)


def test_broken_context_ends_the_host_without_a_checkpoint(cuda: torch.device, sketches: DatasetFacts) -> None:
    """A device-side assert: typed, and nothing is saved from a device that cannot be trusted; the run can go on."""
    run, host = start_run(on_gpu(cuda, "network=tests.gpu.asserting:Asserting", "epochs=3"), now=True)
    assert host.wait(LIMIT_SECONDS) == 1
    history, _ = read_history(run)
    assert history.finished is not None
    assert (history.finished.reason, history.finished.cause) == ("failed", "device")
    assert [facts.step for facts in list_checkpoints(run)] == [50]


def test_memory_that_is_full_tells_what_fits_and_is_given_back(cuda: torch.device, sketches: DatasetFacts) -> None:
    """A real one: the step is undone, half as often as need be; in parts that fit, the same batch is taken."""
    job = prepare(on_gpu(cuda, "network=resnet18", "batch_size=64"))
    images, labels = torch.rand(1_024, 3, 32, 32, device=cuda), torch.randint(0, 10, (1_024,), device=cuda)
    job.engine.take(images[:64], labels[:64], 0)
    torch.cuda.synchronize()
    small = torch.cuda.max_memory_reserved()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    weights = {name: tensor.clone() for name, tensor in job.module.state_dict().items()}
    total = torch.cuda.get_device_properties(cuda).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2 * small / total))
    with pytest.raises(OutOfMemory) as caught:
        job.engine.take(images, labels, 1)
    fits = caught.value.fits
    assert 0 < fits < 1_024
    assert all(torch.equal(tensor, weights[name]) for name, tensor in job.module.state_dict().items())
    assert torch.cuda.memory_allocated() <= before + sum(tensor.nbytes for tensor in weights.values())
    job.engine.images_at_once = fits
    job.engine.take(images, labels, 1)
    assert job.engine.not_finite() is None


def test_memory_of_a_run_is_told_and_given_back(cuda: torch.device, sketches: DatasetFacts) -> None:
    """Reports tell what its tensors take; when it is over, none of them is left."""
    before = torch.cuda.memory_allocated()
    _, events = train_here(on_gpu(cuda, "epochs=4"))
    told = [event.device_memory for event in events if isinstance(event, StepsReported)]
    assert told
    assert all(memory is not None and memory > before for memory in told)
    gc.collect()
    assert torch.cuda.memory_allocated() == before
