"""How long the tutorial takes: its own script and `cifartui train`, in turn, in one run.

`python -m tests.bench.training --dataset NAME [--repeats N]`. Both train two epochs of the whole data set at batch 4.
Two ratios are printed: of the training loops (the script's `for epoch` loop; from RunStarted to RunFinished in the
run's journal, so the journal's and the host's cost is in it), and of the whole commands from start to exit.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from cifartui.dataset.sketches import prepare_sketches
from cifartui.dataset.store import SKETCHES
from cifartui.processor import cpu_name
from cifartui.progress import finish
from cifartui.training.run.events import RunFinished, RunStarted
from cifartui.training.run.folder import find_run
from cifartui.training.run.journal import JournalReader
from tests.bench.official_files import write_official_files


class Trained(NamedTuple):
    """What one training took."""

    loop: float
    """Seconds of training alone."""
    command: float
    """Seconds of the whole command."""
    output: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default=SKETCHES)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    prepared(options.dataset)
    print(f"the tutorial on {options.dataset}, CPU: {cpu_name()}, {options.repeats} repetitions in turn")
    with tempfile.TemporaryDirectory() as root:
        write_official_files(options.dataset, Path(root))
        loops, commands = [], []
        for repeat in range(1, options.repeats + 1):
            script, ours = time_script(root), time_program(options.dataset)
            loops.append(script.loop / ours.loop)
            commands.append(script.command / ours.command)
            print(
                f"{repeat}: script {script.loop:.1f} s (whole command {script.command:.1f} s), "
                f"cifartui {ours.loop:.1f} s (whole command {ours.command:.1f} s), "
                f"ratio {loops[-1]:.2f} ({commands[-1]:.2f})",
                flush=True,
            )
    print(f"training, script / cifartui: {spread(loops)}")
    print(f"whole command, script / cifartui: {spread(commands)}")


def prepared(dataset: str) -> str:
    """The name of a data set, drawn first if it is the sketches."""
    return finish(prepare_sketches()).name if dataset == SKETCHES else dataset


def time_script(root: str) -> Trained:
    """The tutorial's script; its loop is what it times itself."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.tutorial_script", root]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Trained(float(output.splitlines()[-1]), time.perf_counter() - started, output)


def time_program(dataset: str, recipe: str = "tutorial", seed: int = 1) -> Trained:
    """A recipe on the CPU; its loop goes from the run's first to its last event."""
    started = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "cifartui",
        "train",
        "--recipe",
        recipe,
        "--seed",
        str(seed),
        "--dataset",
        dataset,
        "--device",
        "cpu",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    whole = time.perf_counter() - started
    run = find_run(run_id(output))
    events = JournalReader(run.journal_file).read_new()
    begin = next(event.time for event in events if isinstance(event, RunStarted))
    end = next(event.time for event in events if isinstance(event, RunFinished))
    return Trained(end - begin, whole, output)


def run_id(output: str) -> str:
    """Of what `cifartui train` printed."""
    return output.splitlines()[0].removeprefix("run: ")


def spread(ratios: list[float], digits: int = 2) -> str:
    """Median, smallest and largest."""
    median, least, most = (f"{value:.{digits}f}" for value in (statistics.median(ratios), min(ratios), max(ratios)))
    return f"median {median}, {least} to {most}"


if __name__ == "__main__":
    main()
