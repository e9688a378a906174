"""The loader lab: every way of loading is measured once, workers end, and a dead one is a note."""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError, DataError
from cifartui.training.loading import loader_lab
from cifartui.training.loading.loader_lab import judge, measure_loaders, workers_worth_trying
from cifartui.training.loading.loader_results import Measured, Verdict
from cifartui.training.recipes.files import load_recipe

SHORT = """
import sys
from cifartui.cli.main import run_command
from cifartui.training.loading import loader_lab
loader_lab.SECONDS, loader_lab.REPETITIONS, loader_lab.LEAST_ORDER_IMAGES = {seconds}, 1, 1_000
sys.exit(run_command(["bench", "loader", "--dataset", "few", *{options}]))
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundredths of a second in place of seconds."""
    monkeypatch.setattr(loader_lab, "SECONDS", 0.02)
    monkeypatch.setattr(loader_lab, "LEAST_ORDER_IMAGES", 1_000)


@pytest.mark.usefixtures("short")
def test_every_way_is_measured_once_and_the_verdict_names_the_best(sketches: DatasetFacts) -> None:
    """The recipe's batch size comes first, resident before the DataLoader; threads are as before."""
    threads = torch.get_num_threads()
    *measured, verdict = measure_loaders(sketches.name, load_recipe("tutorial"), (8, 4, 256))
    assert isinstance(verdict, Verdict)
    ways = [("resident", 0), *(("dataloader", workers) for workers in workers_worth_trying())]
    assert [(one.batch_size, one.kind, one.num_workers) for one in measured] == [
        (batch_size, *way) for batch_size in (4, 8, 256) for way in ways
    ]
    for one in measured:
        assert isinstance(one, Measured)
        assert one.note == ""
        assert 0 < one.spread[0] <= one.images_per_second <= one.spread[1]
    best = max(measured[: len(ways)], key=lambda one: one.images_per_second)
    assert (verdict.kind, verdict.num_workers, verdict.batch_size) == (best.kind, best.num_workers, 4)
    assert verdict.sentence.startswith("Resident tensors" if best.kind == "resident" else "The DataLoader")
    assert multiprocessing.active_children() == []
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("short")
def test_closing_leaves_no_worker(sketches: DatasetFacts) -> None:
    """Midway, after a DataLoader with a worker."""
    results = measure_loaders(sketches.name, load_recipe("tutorial"))
    while (result := next(results)).num_workers == 0:
        pass
    results.close()
    assert isinstance(result, Measured)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("short")
def test_dead_worker_is_a_note(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker killed while it loads ends that measurement alone."""
    monkeypatch.setattr(loader_lab, "SECONDS", 0.1)
    killer = threading.Thread(target=_kill_first_child, daemon=True)
    killer.start()
    *measured, verdict = measure_loaders(sketches.name, load_recipe("tutorial"), (4,))
    killer.join()
    noted = [one for one in measured if isinstance(one, Measured) and one.note]
    assert [(one.num_workers, one.images_per_second, one.spread) for one in noted] == [(1, 0.0, (0.0, 0.0))]
    assert "DataLoader worker (pid" in noted[0].note
    assert isinstance(verdict, Verdict)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("short")
def test_workers_that_cannot_hand_over_are_a_note(sketches: DatasetFacts) -> None:
    """Batches too large for a file in /dev/shm, as where that is small; the failed workers end."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, unlimited[1]))
    try:
        measured = [one for one in measure_loaders(sketches.name, load_recipe("tutorial"), (256,)) if one.num_workers]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert multiprocessing.active_children() == []
    for one in measured:
        assert isinstance(one, Measured)
        assert ("RuntimeError: " in one.note) == (one.batch_size == 256)


def _kill_first_child() -> None:
    while not (children := multiprocessing.active_children()):
        time.sleep(0.005)
    os.kill(children[0].pid or 0, signal.SIGKILL)


def test_verdict_compares_with_the_best_of_the_other_kind() -> None:
    """Two digits, the ratio, and what to do; a way that failed is never the rival."""
    resident = Measured("resident", 0, 4, 412_345.0, (400_000.0, 420_000.0))
    alone = Measured("dataloader", 0, 4, 3_000.0, (3_000.0, 3_000.0))
    paired = Measured("dataloader", 2, 4, 7_912.0, (7_000.0, 8_000.0))
    dead = Measured("dataloader", 4, 4, 0.0, (0.0, 0.0), "it died")
    assert judge([resident, alone, paired, dead]).sentence == (
        "Resident tensors load 410,000 images/s at batch 4, 52 times as many as the best DataLoader "
        "(2 workers: 7,900): use them."
    )
    slow = Measured("resident", 0, 4, 3_000.0, (3_000.0, 3_000.0))
    verdict = judge([slow, alone, paired])
    assert (verdict.kind, verdict.num_workers) == ("dataloader", 2)
    assert verdict.sentence == (
        "The DataLoader with 2 workers loads 7,900 images/s at batch 4, 2.6 times as many as resident tensors "
        "(3,000): set loader.kind to dataloader and loader.num_workers to 2."
    )
    assert judge([resident, dead]).sentence == (
        "Resident tensors load 410,000 images/s at batch 4, and nothing else works here: use them."
    )
    with pytest.raises(CifartuiError, match="No way of loading works here: it died; mend that"):
        judge([dead])


def test_missing_data_set_is_said_at_once() -> None:
    """Before anything is measured."""
    with pytest.raises(DataError, match="There is no data set named 'none'"):
        next(measure_loaders("none", load_recipe("tutorial")))


def test_command_prints_lines_of_json(sketches: DatasetFacts) -> None:
    """One object per measurement, then the verdict, and nothing else."""
    ended = subprocess.run(_bench(0.01, "--json"), capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    *measured, verdict = [json.loads(line) for line in ended.stdout.splitlines()]
    assert list(measured[0]) == [
        *("type", "kind", "num_workers", "batch_size", "images_per_second", "spread", "note"),
    ]
    assert [one["type"] for one in measured] == ["Measured"] * 3 * (1 + len(workers_worth_trying()))
    assert list(verdict) == ["type", "kind", "num_workers", "batch_size", "sentence"]
    assert (verdict["type"], verdict["batch_size"]) == ("Verdict", 4)


def test_command_prints_a_line_with_a_bar_for_each_measurement(sketches: DatasetFacts) -> None:
    """Rates, bars, and the sentence last."""
    ended = subprocess.run(_bench(0.01), capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    heading, *lines, sentence = ended.stdout.splitlines()
    assert "200 training images of few" in heading
    assert all(line.startswith("batch ") and line[-1] in "█▉▊▋▌▍▎▏" for line in lines)
    assert lines[1].startswith("batch 4     DataLoader, 0 workers ")
    assert "images/s at batch 4" in sentence


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_command_ends_with_its_workers(sketches: DatasetFacts, sent: signal.Signals, code: int) -> None:
    """One sentence, and nothing of its session is left."""
    command = subprocess.Popen(
        _bench(0.3, "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert command.stdout
    for _ in range(2):  # resident and the DataLoader without workers
        assert json.loads(command.stdout.readline())["num_workers"] == 0
    time.sleep(0.15)  # most likely among workers
    os.killpg(command.pid, sent)
    _, complaints = command.communicate(timeout=60)
    assert (command.returncode, complaints) == (code, "cifartui: Interrupted.\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(command.pid, 0)


def _bench(seconds: float, *options: str) -> list[str]:
    return [sys.executable, "-c", SHORT.format(seconds=seconds, options=options)]
