"""How fast networks were trained on this machine, by what the runs' journals say."""

from collections.abc import Iterable
from itertools import islice

import msgspec

from cifartui.errors import CifartuiError
from cifartui.model.network import Network
from cifartui.training.run.folder import RunConfig, all_runs
from cifartui.training.run.follow import read_history

MOST_RUNS = 100
"""The newest runs, of which so many are looked at."""


class TrainedSpeed(msgspec.Struct, frozen=True):
    """At what speed a run trained."""

    run: str
    """Its id."""
    network: Network
    batch_size: int
    device: str
    """As the run names it: `AMD EPYC, 2 cores (cpu)`."""
    images_per_second: float


def trained_speeds() -> list[TrainedSpeed]:
    """The speeds of the newest runs here, the newest first; of one that cannot be read there is none."""
    speeds = []
    for run in islice(all_runs(), MOST_RUNS):
        try:
            config, (history, _) = run.config(), read_history(run)
        except (CifartuiError, OSError):  # the list of runs says it
            continue
        if history.started and history.steady_images_per_second:
            speeds.append(
                TrainedSpeed(
                    run=run.id,
                    network=config.network,
                    batch_size=config.settings.batch_size,
                    device=history.started.device,
                    images_per_second=history.steady_images_per_second,
                )
            )
    return speeds


def speed_of(config: RunConfig, speeds: Iterable[TrainedSpeed]) -> TrainedSpeed | None:
    """The first of some speeds that is one of the same network and batch size, and of the device asked for."""
    for speed in speeds:
        same_device = config.device == "auto" or f"({config.device}" in speed.device
        if same_device and (speed.network, speed.batch_size) == (config.network, config.settings.batch_size):
            return speed
    return None
