"""A short storm of random keys; `make faults` has long ones."""

from pathlib import Path

import pytest

from cifartui.dataset.store import DatasetFacts
from tests.tui.storm import storm, weather


def test_a_storm_of_keys(sketches: DatasetFacts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 keys, clicks and resizes: the screens stay, and the run does not notice."""
    weather(monkeypatch, tmp_path)
    storm(sketches.name, home, seed=8, keys=200)
