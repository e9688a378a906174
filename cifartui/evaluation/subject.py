"""What is evaluated or exported: a run's checkpoint, or a file of weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from cifartui.dataset.store import find_dataset, load_facts
from cifartui.errors import DataError, UsageError
from cifartui.evaluation.weights_file import read_weights_file, unusable, unwrapped
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network
from cifartui.text import printable
from cifartui.training.fitting import fit_network
from cifartui.training.recipes.average import MovingAverage
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.parts import Normalize
from cifartui.training.run.checkpoints import find_checkpoint
from cifartui.training.run.folder import RunConfig, find_run
from cifartui.training.snapshot import read_weights
from cifartui.training.state import not_finite


@dataclass(frozen=True)
class Subject:
    """A trained network, ready to answer."""

    name: str
    """`RUN@STEP`, or the path of a file."""
    network: Network
    module: nn.Module
    normalize: Normalize
    dataset: str | None
    """The data set it was trained on, by its name then, where that is known."""
    dataset_sha256: str = ""
    """Of that data set's pixels."""
    averaged: bool = False
    """Whether the weights are the average over the steps that the run kept."""

    @property
    def title(self) -> str:
        """The name, and which weights they are, for people."""
        return _title(self.name, self.averaged)


class Checkpoint(NamedTuple):
    """A run's weights at one step, and what was asked of the run."""

    name: str
    """`RUN@STEP`."""
    config: RunConfig
    weights: dict[str, torch.Tensor]
    """The average over the steps, if the run keeps one."""

    @property
    def averaged(self) -> bool:
        """Whether the weights are the average over the steps."""
        return isinstance(self.config.settings.average, MovingAverage)

    @property
    def title(self) -> str:
        """The name, and which weights they are, for people."""
        return _title(self.name, self.averaged)


def load_subject(reference: str, recipe: str = "tutorial", dataset: str | None = None) -> Subject:
    """Load `RUN`, `RUN@last`, `RUN@best`, `RUN@STEP`, or a `.pth` or `.safetensors` file of weights.

    A file says nothing of its network and normalisation: they are those of `recipe`, the network as `dataset` wants it.

    Raises:
        DataError: there is no such run, checkpoint or file, or its tensors do not fit the network.
    """
    if names_file(reference):
        settings = load_recipe(recipe)
        network = load_network(settings.network)
        if dataset:
            network = fit_network(network, load_facts(dataset)).network
        module = fill(network, read_weights_file(Path(reference)), reference)
        return Subject(reference, network, module, settings.normalize, dataset=None)
    checkpoint = read_checkpoint(reference)
    config, module = checkpoint.config, fill(checkpoint.config.network, checkpoint.weights, checkpoint.name)
    return Subject(
        checkpoint.name,
        config.network,
        module,
        config.settings.normalize,
        config.dataset,
        config.dataset_sha256,
        checkpoint.averaged,
    )


def names_file(reference: str) -> bool:
    """Whether `reference` names a file of weights and no run."""
    path = Path(reference)
    return reference.endswith((".pth", ".pt", ".safetensors")) or (path.exists() and not path.is_dir())


def read_checkpoint(reference: str) -> Checkpoint:
    """Read `RUN`, `RUN@last`, `RUN@best` or `RUN@STEP`; without a step, the last.

    Raises:
        DataError: there is no such run or checkpoint, or it is damaged.
    """
    run_reference, _, which = reference.partition("@")
    run = find_run(run_reference)
    config = run.config()
    facts = find_checkpoint(run, which or "last")
    return Checkpoint(f"{run.id}@{facts.step}", config, read_weights(run, facts))


def dataset_of(subject: Subject, chosen: str | None) -> str:
    """The data set to evaluate on: the chosen one, else the one the subject was trained on, be it renamed since.

    Raises:
        UsageError: neither is known.
        DataError: the data set is not here.
    """
    if chosen:
        return load_facts(chosen).name
    if subject.dataset is None:
        raise UsageError(f"{printable(subject.name)} does not say on which data set; name one with --dataset NAME.")
    return find_dataset(subject.dataset, subject.dataset_sha256).name


def fill(
    network: Network,
    weights: dict[str, torch.Tensor],
    origin: str,
    remedy: str = "evaluate it with the recipe it was trained with",
) -> nn.Module:
    """Build the network with these weights; `remedy` is what to do where they lack one.

    Names may have what DataParallel, Lightning or torch.compile put before them; floats of other widths are converted.

    Raises:
        DataError: a tensor is missing, left over, of another shape or type, or holds values that are not finite.
    """
    module = build_module(network)
    expected = module.state_dict()
    weights = unwrapped(weights, expected)
    where = f"{printable(origin)} does not fit network {network.name}"
    for name, tensor in expected.items():
        if name not in weights:
            raise DataError(f"{where}: it has no {name}; {remedy}.")
        if reason := unusable(weights[name], tensor):
            raise DataError(f"{where}: {name} {reason}.")
        if weights[name].shape != tensor.shape:
            raise DataError(f"{where}: {name} is {_size(weights[name])} and should be {_size(tensor)}.")
    left_over = next((name for name in weights if name not in expected), None)
    if left_over:
        raise DataError(f"{where}: {printable(left_over, 80)} has no place in it.")
    module.load_state_dict(weights)
    if broken := not_finite(module.state_dict()):
        raise DataError(
            f"{printable(origin)} cannot answer: {broken} holds values that are not finite numbers, as training at "
            "too high a learning rate leaves them; use weights from before, or train again with a lower one."
        )
    return module


def _title(name: str, averaged: bool) -> str:
    return f"{name} (average of the weights)" if averaged else name


def _size(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"
