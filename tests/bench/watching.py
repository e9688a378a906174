"""What watching costs: images per second of one run with the screens attached and without, in turn.

`python -m tests.bench.watching --dataset NAME [--repeats N]`. The screens run in a real pseudo-terminal of 160×45 on
the training screen. Each stretch is taken from the run's own journal; the start of the screens is left out.
"""

import argparse
import time

from cifartui.processor import cpu_name
from cifartui.training.launch import plan_run, start_run
from cifartui.training.run.controls import Stop
from cifartui.training.run.events import StepsReported
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import command
from cifartui.training.run.journal import JournalReader
from tests.bench.training import prepared, spread
from tests.tui.terminal import Terminal

STRETCH_SECONDS = 10.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    config = plan_run(recipe="tutorial", dataset=prepared(options.dataset), overrides=["epochs=1000"], device="cpu")
    print(f"one run on {options.dataset}, CPU: {cpu_name()}, {options.repeats} repetitions in turn")
    run, host = start_run(config)
    try:
        images_per_second(run, 15.0)  # torch is loaded and the loop is warm
        ratios = []
        for repeat in range(1, options.repeats + 1):
            alone = images_per_second(run, STRETCH_SECONDS)
            terminal = Terminal(160, 45)
            terminal.wait_for("▌3 training▐", "● running", "images/s")
            time.sleep(1)
            watched = images_per_second(run, STRETCH_SECONDS)
            terminal.press("q")
            terminal.process.wait()
            ratios.append(watched / alone)
            print(f"{repeat}: alone {alone:,.0f}, attached {watched:,.0f} images/s, ratio {ratios[-1]:.3f}", flush=True)
        print(f"images/s, attached / alone: {spread(ratios, 3)}")
    finally:
        command(run, Stop())
        host.wait()


def images_per_second(run: Run, seconds: float) -> float:
    """Images per second that the journal shows for the coming stretch."""
    reader = JournalReader(run.journal_file)
    reader.read_new()
    time.sleep(seconds)
    reports = [event for event in reader.read_new() if isinstance(event, StepsReported)]
    first, last = reports[0], reports[-1]
    return (last.step - first.step) * run.config().settings.batch_size / (last.time - first.time)


if __name__ == "__main__":
    main()
