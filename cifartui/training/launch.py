"""Starting a run: what was asked is checked, written down, and handed to a host process of its own session."""

import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from cifartui.dataset.store import DatasetFacts, load_facts
from cifartui.errors import UsageError
from cifartui.model.network import Network, load_network
from cifartui.model.shapes import Shape
from cifartui.model.summary import require_fit
from cifartui.model.tracing.isolation import trace_isolated
from cifartui.model.tracing.trace import require_traced_fit
from cifartui.progress import finish
from cifartui.training.checks import require_precision, require_sense
from cifartui.training.device_names import DeviceName
from cifartui.training.fitting import fit_network, fit_recipe, trained_images
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import override
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.start import Start

DEFAULT_SEED = 1


def plan_run(
    *,
    recipe: str,
    dataset: str,
    overrides: Iterable[str] = (),
    device: DeviceName = "auto",
    seed: int = DEFAULT_SEED,
) -> RunConfig:
    """Check that recipe, data set and network go together, without torch, and say in full what will be trained.

    The network and some settings follow the data set, see `fit_network` and `fit_recipe`; `overrides` stay.
    Code of the user's own is run once to see whether it fits, in a child process, which takes seconds.

    Raises:
        CifartuiError: something of it does not exist, is not allowed or does not fit.
    """
    check_seed(seed)
    assignments = list(overrides)
    facts = load_facts(dataset)
    kept = {assignment.partition("=")[0].strip() for assignment in assignments}
    fitted = fit_recipe(override(load_recipe(recipe), assignments), facts, kept)
    settings = fitted.recipe
    require_sense(settings)
    require_precision(settings.precision, device)
    network, changed_layers = fit_network(load_network(settings.network), facts)
    _require_fit(network, facts.image_shape, len(facts.classes))
    _require_pictures_fit(settings, facts)
    return RunConfig(
        recipe=re.sub(r"[^A-Za-z0-9_]+", "-", Path(recipe).name.removesuffix(".toml")).strip("-")[:40] or "recipe",
        dataset=facts.name,
        dataset_sha256=facts.sha256,
        device=device,
        seed=seed,
        created=time.time(),
        settings=msgspec.structs.replace(settings, network=network.factory or network.name),
        network=network,
        followed=(*changed_layers, *fitted.clauses),
    )


def check_seed(seed: int) -> None:
    """Check that random numbers can start from `seed`.

    Raises:
        UsageError: they cannot.
    """
    if not 0 <= seed < 2**63:
        raise UsageError(f"The seed {seed} is not allowed: choose a whole number from 0 to 2^63 - 1.")


def start_run(config: RunConfig, *, now: bool = False, hold: bool = False) -> tuple[Run, "subprocess.Popen[bytes]"]:
    """Create the run's folder and start the host that carries it; `now` and `hold` as in `Start`.

    Raises:
        OSError: the folder cannot be written or the process not be started.
    """
    run = create_run(config)
    return run, start_host(run, Start(now=now, hold=hold))


def start_host(run: Run, start: Start) -> "subprocess.Popen[bytes]":
    """Start the process that carries a run.

    It gets its own session, so that closing the terminal reaches it no more than quitting the program does.

    Raises:
        OSError: the process cannot be started.
    """
    with run.host_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "cifartui.training.host", str(run.folder), *start.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _require_fit(network: Network, shape: Shape, classes: int) -> None:
    if network.factory:
        require_traced_fit(finish(trace_isolated(network, shape)), classes)
    else:
        require_fit(network, shape, classes)


def _require_pictures_fit(settings: Recipe, facts: DatasetFacts) -> None:
    held_out = settings.validation.images
    if facts.validation and held_out not in (0, facts.validation):
        raise UsageError(
            f"validation.images = {held_out:,} is not allowed: the data set brings {facts.validation:,} images to hold "
            "out; choose that number, or 0 to hold out none."
        )
    if trained_images(settings, facts) < 1:
        raise UsageError(
            f"validation.images = {held_out:,} leaves nothing to train on: "
            f"the data set has {facts.train:,} training images; hold out fewer."
        )
    padding, side = settings.augment.crop_padding, min(facts.image_size)
    if padding >= side:
        raise UsageError(
            f"augment.crop_padding = {padding} is not allowed: the pictures have {side} pixels; choose less than that."
        )
    if settings.batch_size > (images := trained_images(settings, facts)):
        raise UsageError(
            f"batch_size = {settings.batch_size:,} is not allowed: there are {images:,} images to train on; choose "
            "that at most."
        )
