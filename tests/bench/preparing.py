"""From CIFAR-10's archive to the prepared data set, and opening it: seconds and peak memory.

`python -m tests.bench.preparing --dataset NAME [--repeats N]`. The archive has the official python layout and is made
from a prepared data set of 60,000 images, so it is as large as the published one; its checksum is pinned for the run.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.bench.official_files import write_official_files
from tests.bench.training import prepared, spread

FETCH = """
import re, sys, time
from cifartui.dataset.fetching.fetch import fetch_dataset
from cifartui.progress import finish
started = time.perf_counter()
finish(fetch_dataset("cifar10", sys.argv[1]))
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(time.perf_counter() - started, int(peak[1]) / 1024)
"""
OPEN = """
import time
import torch
from cifartui.dataset.images import load_image_set
started = time.perf_counter()
load_image_set("cifar10", "train")
load_image_set("cifar10", "test")
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        write_official_files(prepared(options.dataset), Path(root))
        archive = Path(root) / "cifar-10-python.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(Path(root) / "cifar-10-batches-py", "cifar-10-batches-py")
        seconds, peaks, openings = [], [], []
        for repeat in range(options.repeats):
            home = Path(root) / f"home{repeat}"
            home.mkdir()
            pin(archive, home)
            second, peak = map(float, run(FETCH, home, str(archive)).split())
            opening = float(run(OPEN, home))
            seconds.append(second)
            peaks.append(peak)
            openings.append(opening)
        print(f"archive of {archive.stat().st_size:,} bytes")
        print(f"archive → prepared: {spread(seconds)} s")
        print(f"peak memory: {max(peaks):.0f} MiB")
        print(f"opening both splits: {spread(openings, 3)} s")


def pin(archive: Path, home: Path) -> None:
    """Make the archive known as CIFAR-10's."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (home / "archives.toml").write_text(
        f'[[archive]]\ndataset = "cifar10"\nfile = "{archive.name}"\nbytes = {archive.stat().st_size}\n'
        f'sha256 = "{digest}"\nsources = []\n'
    )


def run(program: str, home: Path, *arguments: str) -> str:
    """Run a program in a process of its own and return what it prints."""
    environment = os.environ | {"CIFARTUI_HOME": str(home)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
