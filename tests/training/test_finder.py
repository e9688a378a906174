"""The learning-rate finder leaves no trace, and what it suggests trains, whatever the network."""

import hashlib
import math
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice, pairwise
from pathlib import Path

import msgspec
import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.model.network import load_network
from cifartui.training import finder
from cifartui.training.finder import MOST_TIMES_BEST, find_rates
from cifartui.training.rate_rules import RATES, RatesFound, RateTried
from cifartui.training.recipes.recipe import RATE
from cifartui.training.recipes.settings import override
from cifartui.training.run.folder import RunConfig
from cifartui.training.setup import prepare
from cifartui.training.state import Generators
from tests.training.running import losses, plan, train_here

CONVOLUTION = '{ kind = "conv2d", name = "conv", in_channels = 3, out_channels = 8, kernel_size = 3, stride = 2 }'
ENDING = '{ kind = "global_avg_pool2d", name = "mean" }, { kind = "flatten", name = "flatten" }'
LINEAR = '{ kind = "linear", name = "fc", in_features = 8, out_features = 10 }'
CHAINS = {
    "normed": f"""{CONVOLUTION}, {{ kind = "batch_norm2d", name = "norm", num_features = 8 }},
        {{ kind = "relu", name = "relu" }}, {ENDING}, {{ kind = "dropout", name = "drop", p = 0.2 }}, {LINEAR}""",
    "residual": f"""{CONVOLUTION}, {{ kind = "basic_block", name = "block", in_channels = 8, out_channels = 8 }},
        {ENDING}, {LINEAR}""",
    "linear": """{ kind = "flatten", name = "flatten" },
        { kind = "linear", name = "fc", in_features = 3072, out_features = 10 }""",
}
OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        print("made")
        self.conv = nn.Conv2d(3, 8, 5, stride=3)
        self.out = nn.Linear(8, 10)

    def forward(self, x):
        return self.out(torch.relu(self.conv(x)).amax((2, 3)))
"""
STEPS = 400
"""After which a suggested rate has to have trained."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Threads and kernels of this process, which a job sets for its own steps."""
    threads, onednn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    yield
    torch.set_num_threads(threads)
    torch.backends.mkldnn.enabled = onednn


def config_of(dataset: str, network: str, folder: Path) -> RunConfig:
    """A run in batches of 15, which one thread takes with a network that is shipped, written as TOML, or code."""
    config = plan(dataset, "batch_size=15")
    if network == "own":
        (folder / "own_net.py").write_text(OWN)
        return msgspec.structs.replace(config, network=load_network("own_net:Net"))
    if network in CHAINS:
        file = folder / f"{network}.toml"
        file.write_text(f'name = "{network}"\ninput = [3, 32, 32]\nlayers = [{CHAINS[network]}]\n')
        return msgspec.structs.replace(config, network=load_network(str(file)))
    return config


@pytest.mark.parametrize("network", ["tutorial", "own", *CHAINS])
def test_suggestion_trains(
    sketches: DatasetFacts, network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each suggested rate the loss is lower by a twentieth after 400 steps than at a rate that trains nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    require_that_suggestions_train(config_of(sketches.name, network, tmp_path))
    sys.modules.pop("own_net", None)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_suggestion_trains_with_every_optimizer(
    sketches: DatasetFacts, optimizer: str, schedule: str, tmp_path: Path
) -> None:
    """As with SGD; a schedule, which has a rate of its own at each step, changes nothing."""
    config = config_of(sketches.name, "linear", tmp_path)
    choices = [f"optimizer.name={optimizer}", f"schedule.name={schedule}"]
    require_that_suggestions_train(msgspec.structs.replace(config, settings=override(config.settings, choices)))


def require_that_suggestions_train(config: RunConfig) -> None:
    """Find rates and train with each."""
    *tried, found = find_rates(config)
    assert isinstance(found, RatesFound)
    assert [one.rule for one in found.suggestions], found.problem
    assert isinstance(tried[0], RateTried)
    untrained = last_loss(config, tried[0].rate)
    for suggestion in found.suggestions:
        assert last_loss(config, suggestion.rate) < 0.95 * untrained, suggestion


def last_loss(config: RunConfig, rate: float) -> float:
    """The mean loss over the last epoch of some steps."""
    settings = override(config.settings, [f"{RATE}={rate}"])
    job = prepare(msgspec.structs.replace(config, settings=settings))
    batches = list(job.batches.in_order(job.order.epoch(1)))
    taken = [job.engine.take(*batch, step)[0].item() for step, batch in enumerate(islice(cycle(batches), STEPS))]
    return sum(taken[-len(batches) :]) / len(batches)


def test_it_leaves_no_trace(
    sketches: DatasetFacts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs with their weights and journals, data sets, recipes, generators: equal before and after, also midway.

    And the run that comes next has the losses that it would have had.
    """
    monkeypatch.setattr(finder, "RATES", 30)
    config = plan(sketches.name, "batch_size=15", "augment.flip=true", "augment.cutout=8", "epochs=1")
    before_it = losses(train_here(config)[1])
    files, generators = hashes(home, tmp_path), Generators().tensors()
    *tried, found = find_rates(config)
    assert len(tried) > 20
    assert isinstance(found, RatesFound)
    with closing(find_rates(config)) as cut_short:
        next(cut_short)
    assert hashes(home, tmp_path) == files
    assert all(torch.equal(state, generators[name]) for name, state in Generators().tensors().items())
    assert losses(train_here(config)[1]) == before_it


def hashes(*folders: Path) -> dict[Path, str]:
    """The sha256 of every file."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_ends_where_the_loss_runs_away(sketches: DatasetFacts, tmp_path: Path) -> None:
    """Before the highest rate, at the first running mean of four times the best."""
    *tried, _ = find_rates(config_of(sketches.name, "linear", tmp_path))
    assert len(tried) < RATES
    means = [point.smoothed for point in tried if isinstance(point, RateTried) and point.smoothed is not None]
    assert all(mean <= MOST_TIMES_BEST * min(means[: place + 1]) for place, mean in enumerate(means[:-1]))
    last = tried[-1]
    assert isinstance(last, RateTried)
    assert last.loss is None or means[-1] > MOST_TIMES_BEST * min(means)
    assert [point.number for point in tried] == list(range(1, len(tried) + 1))
    assert all(after.rate > before.rate for before, after in pairwise(tried))
    assert not any(math.isnan(mean) for mean in means)
