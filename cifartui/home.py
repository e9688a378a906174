"""Where things live on disk."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The program's own folder: `$CIFARTUI_HOME`, or the system's place for a user's data."""
    chosen = os.environ.get("CIFARTUI_HOME")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("cifartui", appauthor=False)


def datasets_folder() -> Path:
    """The prepared data sets; made if it is not there."""
    return _private(home() / "datasets")


def runs_folder() -> Path:
    """One folder a run; made if it is not there."""
    return _private(home() / "runs")


def queue_folder() -> Path:
    """The places of the runs that train or wait for it; made if it is not there."""
    return _private(home() / "queue")


def downloads_folder() -> Path:
    """Archives that are being fetched; made if it is not there."""
    return _private(home() / "downloads")


def networks_folder() -> Path:
    """The user's own networks; made if it is not there."""
    return _private(home() / "networks")


def recipes_folder() -> Path:
    """The user's own recipes; made if it is not there."""
    return _private(home() / "recipes")


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
