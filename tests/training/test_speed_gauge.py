"""The gauge sees where the time goes, and what it does for that is not seen by the training."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.training import speed_gauge
from cifartui.training.loading.batches import Batch
from cifartui.training.precision import Precision
from cifartui.training.run.events import SpeedMeasured
from cifartui.training.run.folder import RunConfig
from cifartui.training.setup import prepare
from cifartui.training.verdict import judge_speed
from tests.training.running import losses, plan, train_here
from tests.training.undisturbed import EVERYTHING

NETWORK = """
name = "small"
input = [3, 32, 32]
layers = [
    { kind = "conv2d", name = "conv", in_channels = 3, out_channels = 8, kernel_size = 3, stride = 2 },
    { kind = "batch_norm2d", name = "norm", num_features = 8 },
    { kind = "relu", name = "relu" },
    { kind = "global_avg_pool2d", name = "mean" },
    { kind = "flatten", name = "flatten" },
    { kind = "dropout", name = "drop", p = 0.2 },
    { kind = "linear", name = "fc", in_features = 8, out_features = 10 },
]
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Threads and kernels of this process, which a job sets for its own steps."""
    threads, onednn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    yield
    torch.set_num_threads(threads)
    torch.backends.mkldnn.enabled = onednn


@pytest.fixture
def normed(sketches: DatasetFacts, tmp_path: Path) -> RunConfig:
    """A run with all that a step can change besides the weights, small enough for one thread."""
    file = tmp_path / "small.toml"
    file.write_text(NETWORK)
    sizes = ("batch_size=20", "epochs=2", "log_every=2", "validation.images=40")
    return plan(sketches.name, f"network={file}", *sizes, *EVERYTHING)


def test_measuring_changes_nothing(normed: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every feature on, the losses are the same to the bit with a measurement at every report and with none."""
    monkeypatch.setattr(speed_gauge, "FIRST_SECONDS", 1e9)
    _, without = train_here(normed)
    monkeypatch.setattr(speed_gauge, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(speed_gauge, "LONGEST_REHEARSED", 1e9)
    _, measured = train_here(normed)
    speeds = [event for event in measured if isinstance(event, SpeedMeasured)]
    assert not any(isinstance(event, SpeedMeasured) for event in without)
    assert speeds
    assert len(losses(without)) == 8
    assert losses(measured) == losses(without)
    first = speeds[0]
    assert 0 < first.waiting < first.seconds
    assert first.fixed is not None
    assert first.images == 20 * first.steps
    assert first.multiply_adds > 0
    assert first.multiply_adds_of_product > 0
    assert any(judge_speed(speed, normed.settings, on_cuda=False) for speed in speeds)


def test_rehearsal_leaves_everything_as_it_was(normed: RunConfig) -> None:
    """Weights, running means, random numbers, and no gradients."""
    job = prepare(normed)
    images, labels = next(iter(job.batches.in_order(job.order.epoch(1))))
    job.engine.take(images, labels, 0)
    state = {name: value.clone() for name, value in job.module.state_dict().items()}
    generator = torch.get_rng_state()
    assert 0 < job.engine.rehearse(images[:5], labels[:5], 1) < 10
    assert all(torch.equal(value, state[name]) for name, value in job.module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(weight.grad is None for weight in job.module.parameters())


def test_slow_batches_are_waited_for(sketches: DatasetFacts) -> None:
    """What the source of batches takes is waiting; what the loop does with them is not."""
    job = prepare(plan(sketches.name))

    def slow() -> Iterator[Batch]:
        for batch in list(job.batches.in_order(job.order.epoch(1)))[:5]:
            time.sleep(0.02)
            yield batch

    started = time.perf_counter()
    for _ in job.gauge.timed(slow()):
        time.sleep(0.01)
    assert not job.gauge.is_due
    job.gauge.add(5, 20, time.perf_counter() - started)
    measured = job.gauge.measure(5)
    assert 0.1 <= measured.waiting < measured.seconds - 0.05 + 1e-3
    assert 0.01 <= measured.quickest <= (measured.seconds - measured.waiting) / 5 + 1e-3
    verdict = judge_speed(measured, job.recipe, on_cuda=False)
    assert verdict
    assert verdict.limit == "data"


def test_code_of_the_users_own_is_not_rehearsed(sketches: DatasetFacts) -> None:
    """It may count its calls, or draw random numbers that are not torch's."""
    job = prepare(plan(sketches.name))
    gauge = speed_gauge.SpeedGauge(job.engine, job.device, Precision("fp32", job.device), 0, rehearses=False)
    for _ in gauge.timed(iter(list(job.batches.in_order(job.order.epoch(1))))):
        pass
    gauge.add(50, 200, 2.0)
    assert gauge.is_due
    measured = gauge.measure(50)
    assert (measured.fixed, measured.multiply_adds) == (None, 0.0)
    assert not gauge.is_due


def test_no_room_for_a_probe_is_no_end_of_a_training(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the probe would tell is not known then; the rest is, and it is not tried again."""
    monkeypatch.setattr(speed_gauge, "PRODUCT_SIDE", {"cpu": 10**7})
    job = prepare(plan(sketches.name))
    for _ in range(2):
        job.gauge.add(50, 200, 10.0)
        measured = job.gauge.measure(50)
        assert (measured.seconds, measured.multiply_adds_of_product) == (10.0, 0.0)
        monkeypatch.setattr(speed_gauge, "PRODUCT_SIDE", {"cpu": 8})
