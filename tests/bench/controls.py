"""How soon a command is taken and done: a real host on the CPU at the tutorial recipe's full speed, batches of four.

`python -m tests.bench.controls --dataset NAME [--repeats N]`. Each time runs from just before a command is appended to
the run's file of controls to the moment at which another process reads its acknowledgement, and that it is done, in
the run's journal. Changes of the rate save a checkpoint first.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterable

from cifartui.processor import cpu_name
from cifartui.training.launch import plan_run, start_run
from cifartui.training.run.controls import (
    AnyControl,
    ChangeRate,
    Pause,
    Resume,
    SaveCheckpoint,
    Stop,
    send,
)
from cifartui.training.run.events import ControlAcknowledged, ControlDone, StepsReported
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import command
from cifartui.training.run.journal import JournalReader
from tests.bench.training import prepared

LOOK_SECONDS = 0.001
"""Between two looks into the journal."""
LONGEST_REST = 0.2
"""Commands come at random moments, so that none keeps time with the host's own looks."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--repeats", type=int, default=100)
    options = parser.parse_args()
    config = plan_run(recipe="tutorial", dataset=prepared(options.dataset), overrides=["epochs=1000"], device="cpu")
    print(
        f"commands to a run on {options.dataset}, CPU: {cpu_name()}; p50 / p95 / p99 in ms from sending to reading "
        "the answer in the journal"
    )
    run, host = start_run(config)
    try:
        measure(run, "pause, resume", [Pause(), Resume()] * options.repeats)
        measure(run, "rate", [ChangeRate(to="up"), ChangeRate(to="down")] * (options.repeats // 2))
        measure(run, "checkpoint", [SaveCheckpoint()] * options.repeats)
    finally:
        command(run, Stop())
        host.wait()


def measure(run: Run, name: str, controls: Iterable[AnyControl]) -> None:
    """Send commands one after the other, each while the run trains or holds, and print how long they took."""
    reader, rest = JournalReader(run.journal_file), random.Random(1)
    while not any(isinstance(event, StepsReported) for event in reader.read_new()):
        time.sleep(LOOK_SECONDS)
    taken, done = [], []
    for control in controls:
        time.sleep(rest.uniform(0, LONGEST_REST))
        seconds = answers(run, reader, control)
        taken.append(seconds[0])
        done.append(seconds[1])
    print(f"{name:>13}, {len(taken)} times: taken {percentiles(taken)}, done {percentiles(done)}", flush=True)


def answers(run: Run, reader: JournalReader, control: AnyControl) -> tuple[float, float]:
    """Seconds until a command is acknowledged, and until it is done."""
    started = time.perf_counter()
    sent = send(run.controls_file, control)
    taken = 0.0
    while True:
        events = reader.read_new()
        seconds = time.perf_counter() - started
        for event in events:
            if isinstance(event, ControlAcknowledged) and event.control == sent.id:
                taken = seconds
            if isinstance(event, ControlDone) and event.control == sent.id:
                return taken, seconds
        time.sleep(LOOK_SECONDS)


def percentiles(seconds: list[float]) -> str:
    """p50, p95 and p99, in milliseconds."""
    hundredths = statistics.quantiles(seconds, n=100, method="inclusive")
    return " / ".join(f"{1e3 * hundredths[place - 1]:.0f}" for place in (50, 95, 99))


if __name__ == "__main__":
    main()
