"""What a recipe comes to beside the tutorial's own script: accuracy and time of both, in turn, in one run.

`python -m tests.bench.recipes --dataset NAME [--recipe quick] [--repeats N]`. Each repetition trains the script and the
recipe, each from another seed, on the CPU. Time is that of training alone; accuracy that on all test images.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from cifartui.dataset.store import SKETCHES
from cifartui.processor import cpu_name
from tests.bench.official_files import write_official_files
from tests.bench.training import prepared, run_id, spread, time_program, time_script


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default=SKETCHES)
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    prepared(options.dataset)
    print(f"{options.recipe} on {options.dataset}, CPU: {cpu_name()}, {options.repeats} repetitions in turn")
    times, accuracies, script_accuracies = [], [], []
    with tempfile.TemporaryDirectory() as root:
        write_official_files(options.dataset, Path(root))
        for seed in range(1, options.repeats + 1):
            script, ours = time_script(root), time_program(options.dataset, options.recipe, seed)
            script_accuracies.append(accuracy_printed(script.output))
            accuracies.append(accuracy_of_run(run_id(ours.output), options.dataset))
            times.append(ours.loop / script.loop)
            print(
                f"{seed}: script {script_accuracies[-1]:.1f} % in {script.loop:.1f} s, "
                f"{options.recipe} {accuracies[-1]:.1f} % in {ours.loop:.1f} s, ratio {times[-1]:.2f}",
                flush=True,
            )
    print(f"accuracy of the script: {spread(script_accuracies)} %; mean {statistics.mean(script_accuracies):.2f} %")
    print(f"accuracy of {options.recipe}: {spread(accuracies)} %; mean {statistics.mean(accuracies):.2f} %")
    print(f"training, {options.recipe} / script: {spread(times)}")


def accuracy_printed(output: str) -> float:
    """In percent, as the tutorial's script prints it."""
    found = re.search(r"test images: ([\d.]+) %", output)
    assert found, output
    return float(found[1])


def accuracy_of_run(run: str, dataset: str) -> float:
    """In percent, of a run's last checkpoint on the test images."""
    command = [sys.executable, "-m", "cifartui", "evaluate", f"{run}@last", "--dataset", dataset, "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return 100 * float(json.loads(output)["accuracy"])


if __name__ == "__main__":
    main()
