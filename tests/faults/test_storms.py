"""Long storms of random keys over the screens, run by `make faults`."""

from pathlib import Path

import pytest

from cifartui.dataset.store import DatasetFacts
from tests.tui.storm import storm, weather

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(5))
def test_storm(seed: int, sketches: DatasetFacts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 keys, clicks and resizes from 160×45 down to 20×5, the palette among them."""
    weather(monkeypatch, tmp_path)
    storm(sketches.name, home, seed, keys=2_000)
