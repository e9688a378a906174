"""Long fault injection, run by `make faults`: kill -9 at random moments, and what the next start finds."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cifartui.dataset.catalogue import remove_dataset, verify_dataset
from cifartui.dataset.store import prepared_names
from cifartui.progress import finish
from tests.dataset.sources import Source, serve, table
from tests.dataset.test_importing import make_folders, pack_tar
from tests.dataset.test_official import write_python

pytestmark = pytest.mark.faults

MOMENTS = 20


def kill_at_random_moments(start: Callable[[], list[str]], name: str, seconds: float) -> None:
    """Start a command and kill it, again and again; whatever is there then is whole, and one success cleans up."""
    chance = random.Random(5)
    killed = finished = 0
    while killed < MOMENTS:
        process = subprocess.Popen(start(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        else:
            finished += 1
        assert prepared_names() in ([], [name])
        if prepared_names():
            finish(verify_dataset(name))
            remove_dataset(name)
    print(f"{killed} kills, {finished} finished first")


def assert_nothing_left_over(home: Path, command: list[str], name: str) -> None:
    """After a success there are the data set's two files and nothing else."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    finish(verify_dataset(name))
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [f"{name}.json", f"{name}.safetensors"]
    assert not (home / "downloads").exists() or list((home / "downloads").iterdir()) == []


def test_fetch(home: Path, tmp_path: Path) -> None:
    """Fetching: asking, downloading, verifying, parsing, storing."""
    content = pack_tar(write_python(tmp_path / "official", images=600), ".tar.gz").read_bytes()
    source = Source(content, slow_from=0, slow_rate=8_000_000)
    command = [sys.executable, "-m", "cifartui", "dataset", "fetch", "cifar10"]
    with serve(source):
        table(home, content, (source.url,))
        started = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.monotonic() - started
        remove_dataset("cifar10")
        kill_at_random_moments(lambda: command, "cifar10", seconds * 1.1)
        assert_nothing_left_over(home, command, "cifar10")


def test_import(home: Path, tmp_path: Path) -> None:
    """Importing: reading and storing."""
    archive = pack_tar(make_folders(tmp_path / "mine", images=400), ".tar")
    command = [sys.executable, "-m", "cifartui", "dataset", "import", str(archive), "--name", "mine"]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.monotonic() - started
    remove_dataset("mine")
    kill_at_random_moments(lambda: command, "mine", seconds * 1.1)
    assert_nothing_left_over(home, command, "mine")
