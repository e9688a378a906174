"""What long journals cost: runs of a million events each, listed, shown and followed, with and without their index.

`python -m tests.bench.journals [--runs N] [--events N] [--checkpoints N]`.
The journals are written by the program's own writer; all times are of fresh processes, start of Python included, but
for the listing of checkpoints. Takes about 250 MB of disk for a million events.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

from cifartui.dataset.sketches import CLASSES, draw_sketches
from cifartui.dataset.store import save_dataset
from cifartui.progress import finish
from cifartui.training.launch import plan_run
from cifartui.training.run.checkpoints import CheckpointFacts, encode_facts, facts_file, list_checkpoints, tensors_file
from cifartui.training.run.events import LossLogged, RunFinished, RunStarted, StateChanged, StepsReported
from cifartui.training.run.folder import Run, RunConfig, all_runs, create_run
from cifartui.training.run.index import Indexer
from cifartui.training.run.journal import Journal
from tests.tui.terminal import Terminal

STEPS_PER_EVENT = 10


def main() -> None:
    """Make the runs, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--checkpoints", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CIFARTUI_HOME"] = folder
        train, test = finish(draw_sketches(train=40, test=20, seed=1))
        save_dataset("few", train, test, CLASSES, "drawn", drawn=True)
        config = plan_run(recipe="tutorial", dataset="few")
        run = write_run(config, options.events)
        print(f"a journal of {options.events:,} events, {run.journal_file.stat().st_size / 1e6:,.0f} MB")
        timed("  first look, without an index", "runs", "show", run.id)
        timed("  the next, with it", "runs", "show", run.id)
        for _ in range(options.runs - 1):
            copy_run(run, config)
        timed(f"{options.runs} such runs listed", "runs", "list")
        print(f"  the newest in view on the screens: {screens_seconds():.2f} s")
        add_checkpoints(options.checkpoints)
        started = time.perf_counter()
        found = sum(len(list_checkpoints(each)) for each in all_runs())
        print(f"{found:,} checkpoints in {options.runs} runs listed: {time.perf_counter() - started:.2f} s")


def write_run(config: RunConfig, events: int) -> Run:
    """A run whose journal has so many events; says what writing one costs, with the index kept and without."""
    run = create_run(config)
    journal, indexer = Journal(run.journal_file), Indexer(run)
    journal.append(StateChanged(state="starting"))
    journal.append(run_started(run, config, events))
    seconds = 0.0
    started = time.perf_counter()
    for number in range(1, events - 3):
        step = STEPS_PER_EVENT * number
        if number % 10:
            journal.append(
                StepsReported(
                    step=step,
                    epoch=1,
                    loss=1 + 1 / number,
                    running_loss=1 + 2 / number,
                    accuracy=0.5,
                    learning_rate=0.001,
                    images_per_second=2_000.0,
                )
            )
        else:
            journal.append(LossLogged(epoch=1, batch=step, loss=1 + 1 / number))
        before = time.perf_counter()
        indexer.keep_up()
        seconds += time.perf_counter() - before
    total = time.perf_counter() - started
    journal.append(RunFinished(reason="finished"))
    each = 1e6 / events
    print(f"writing an event: {(total - seconds) * each:.1f} µs, keeping the index: {seconds * each:.1f} µs")
    run.index_file.unlink()
    return run


def run_started(run: Run, config: RunConfig, events: int) -> RunStarted:
    """A start of as many steps as the events tell of."""
    return RunStarted(
        run=run.id,
        recipe=config.recipe,
        dataset=config.dataset,
        network=config.network.name,
        device="cpu",
        device_reason="the CPU was asked for",
        epochs=1,
        steps_per_epoch=STEPS_PER_EVENT * events,
        batch_size=4,
        train_images=4 * STEPS_PER_EVENT * events,
        validation_images=0,
        parameters=62_006,
        learning_rate=0.001,
        seed=1,
        host_pid=1,
    )


def copy_run(run: Run, config: RunConfig) -> None:
    """Another run with the same journal, which takes no more room on the disk, and its own index."""
    other = create_run(config)
    os.link(run.journal_file, other.journal_file)
    shutil.copy(run.index_file, other.index_file)


def add_checkpoints(count: int) -> None:
    """So many in all runs together, with files of a few bytes."""
    runs = all_runs()
    for number in range(count):
        run = runs[number % len(runs)]
        facts = CheckpointFacts(
            run=run.id,
            step=1 + number,
            epoch=1,
            batch=number,
            cause="asked for",
            validation_accuracy=None,
            sha256="1" * 64,
            bytes=7,
            created=1e9,
        )
        tensors_file(run, facts).write_bytes(b"weights")
        facts_file(run, facts).write_bytes(encode_facts(facts))


def screens_seconds() -> float:
    """From the start of the program to the newest run's state in the line on top."""
    started = time.perf_counter()
    terminal = Terminal(80, 24, emulated=False)
    terminal.wait_until(lambda: "✓ finished".encode() in terminal.output)
    seconds = time.perf_counter() - started
    terminal.press("q")
    terminal.process.wait()
    return seconds


def timed(what: str, *command: str) -> None:
    """Run a command of the program; print its time and its peak memory."""
    started = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-c", PEAK, *command], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    seconds = time.perf_counter() - started
    print(f"{what}: {seconds:.2f} s, {int(shown.stderr.split()[-1]) / 1024:.0f} MB at most")


PEAK = """
import resource, sys
from cifartui.__main__ import main
code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


if __name__ == "__main__":
    main()
