"""Random sequences of commands, kills and forks end as the same work undisturbed; many more by `make faults`."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cifartui.dataset.store import DatasetFacts
from tests.training.running import plan
from tests.training.steered import SteeredRun
from tests.training.undisturbed import EVERYTHING, NETWORK


@pytest.mark.parametrize("sequences", [5, pytest.param(500, marks=pytest.mark.faults)])
def test_whatever_is_done_to_a_run_it_ends_the_same(sketches: DatasetFacts, tmp_path: Path, sequences: int) -> None:
    """With all that a recipe can have: weights, their average, momentum, rate, chance, log lines and reports."""
    network = tmp_path / "chancy.toml"
    network.write_text(NETWORK)
    SteeredRun.config = plan(
        sketches.name,
        f"network={network}",
        "epochs=2",
        "batch_size=20",
        "log_every=3",
        "validation.images=20",
        *EVERYTHING,
        "stopping.epochs=2",
        "images_at_once=10",
    )
    run_state_machine_as_test(
        SteeredRun,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=sequences < 100,
            database=None,
        ),
    )
