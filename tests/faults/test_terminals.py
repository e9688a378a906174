"""Terminals lost and stalled many times, run by `make faults`."""

from collections.abc import Callable

import pytest

from cifartui.dataset.store import DatasetFacts
from tests.tui.losing import LOSSES, living_run

pytestmark = pytest.mark.faults

TIMES = 50


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: str(lose.__name__))
def test_losing(lose: Callable[[float], None], sketches: DatasetFacts) -> None:
    """The screens are gone within a second, or go on; the run has one host and a whole journal all the while."""
    with living_run(sketches.name):
        for _ in range(TIMES):
            lose(1.0)
