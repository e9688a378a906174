"""What many runs cost: 50 of 100,000 events each, their list opened and five of them compared, in a real pty of 80×24.

`python -m tests.bench.runs [--runs N] [--events N] [--times N]`.
Screens are timed from the key to the last text that the key asks for; commands with the start of Python. The journals
have the index that a run's own process leaves.
"""

import argparse
import gc
import os
import statistics
import tempfile
import time

from cifartui.dataset.sketches import CLASSES, draw_sketches
from cifartui.dataset.store import save_dataset
from cifartui.progress import finish
from cifartui.training.launch import plan_run
from cifartui.training.run.folder import all_runs
from cifartui.training.run.index import Indexer
from tests.bench.journals import copy_run, timed, write_run
from tests.tui.terminal import Terminal

COMPARED = 5


def main() -> None:
    """Make the runs, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CIFARTUI_HOME"] = folder
        train, test = finish(draw_sketches(train=40, test=20, seed=1))
        save_dataset("few", train, test, CLASSES, "drawn", drawn=True)
        first = write_run(plan_run(recipe="tutorial", dataset="few"), options.events)
        Indexer(first).write()
        for number in range(1, options.runs):
            rate = f"optimizer.learning_rate={0.001 * (1 + number % 7)}"
            copy_run(first, plan_run(recipe="tutorial", dataset="few", overrides=[rate], seed=number))
        print(f"{options.runs} runs of {options.events:,} events each; load before: {os.getloadavg()[0]:.1f}")
        timed("  runs list", "runs", "list")
        timed(f"  runs compare, {COMPARED} of them", "runs", "compare", *(run.id for run in all_runs()[:COMPARED]))
        measure_screens(options.runs, options.times)
        print(f"load after: {os.getloadavg()[0]:.1f}")


def measure_screens(runs: int, times: int) -> None:
    """Open the list and the comparison so often, and print what each took."""
    gc.disable()  # of this process, which only watches
    terminal = Terminal(80, 24, emulated=False)
    terminal.wait_until(lambda: "✓ finished".encode() in terminal.output)
    terminal.press("3")
    time.sleep(2)
    opened, compared = [], []
    for number in range(times):
        opened.append(seconds_until(terminal, "o", f"{runs} runs · newest first"))
        time.sleep(0.5)
        for _ in range(COMPARED):
            terminal.press(" ", "\x1b[B")
        time.sleep(0.5)
        compared.append(seconds_until(terminal, "c", "settings that differ"))
        time.sleep(0.5)
        if number == 0:
            print(f"  the first time: list {opened[0]:.2f} s, comparison of {COMPARED} {compared[0]:.2f} s")
        terminal.press("\x1b")
        time.sleep(0.3)
        terminal.press("\x1b")
        time.sleep(0.5)
    terminal.press("q")
    terminal.process.wait()
    for what, seconds in (("whole list", opened), (f"comparison of {COMPARED}", compared)):
        print(
            f"  from the key to the {what}: median {statistics.median(seconds):.2f} s, "
            f"{min(seconds):.2f} to {max(seconds):.2f} s"
        )


def seconds_until(terminal: Terminal, key: str, text: str) -> float:
    """From a key until a text is written to the terminal."""
    before = terminal.written
    started = time.perf_counter()
    os.write(terminal.descriptor, key.encode())
    while text.encode() not in terminal.output_since(before):
        time.sleep(0.001)
        if time.perf_counter() - started > 60:
            raise AssertionError(f"{text!r} did not come after {key!r}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
