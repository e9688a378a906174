"""`cifartui train` on a real terminal, where somebody can answer."""

from pathlib import Path

import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import NotFiniteFound, StateChanged
from cifartui.training.run.folder import Run, find_run
from cifartui.training.run.journal import JournalReader
from cifartui.training.run.queue import wait_for_turn
from tests.training.troubled import TROUBLED_STEP
from tests.tui.terminal import Terminal


def test_trains_at_once_and_holds_for_an_answer(
    sketches: DatasetFacts, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With --now a run that trains already is not waited for; numbers that are not finite are held and asked about."""
    first = Run(home / "runs" / "first")
    assert list(wait_for_turn(first, ControlInbox(first.controls_file), now=False)) == []
    train = ("train", "--dataset", sketches.name, "--device", "cpu", "--epochs", "3", "--now")
    network = "network=tests.training.troubled:NanOnce"
    terminal = Terminal(100, 24, program=("-m", "cifartui", *train, "--set", network))
    terminal.wait_until(lambda: b"The run holds and waits for an answer: " in terminal.output)
    run = find_run("NanOnce")
    assert f"cifartui runs rollback {run.id}".encode() in terminal.output
    assert terminal.process.poll() is None

    assert run_command(["runs", "step", run.id, "1000"]) == 1
    assert capfd.readouterr().err == f"cifartui: Run {run.id} finished at step 150, before step was done.\n"
    assert terminal.process.wait(30) == 0
    terminal.wait_until(lambda: f"next: cifartui evaluate {run.id}".encode() in terminal.output)
    terminal.close()
    events = JournalReader(run.journal_file).read_new()
    states = [event.state for event in events if isinstance(event, StateChanged)]
    assert (states[0], "queued" in states, states.count("paused")) == ("starting", False, 1)
    assert [event.step for event in events if isinstance(event, NotFiniteFound)] == [TROUBLED_STEP]
