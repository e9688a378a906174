"""What the screens send to a terminal: bytes a second of each at rest and with a living run, and keys over a slow line.

`python -m tests.bench.line [--dataset NAME] [--size 80x24] [--seconds N]`. A home without runs is wanted.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cifartui.training.launch import plan_run, start_run
from cifartui.training.run.controls import Stop
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import command
from cifartui.tui.guide import remember_welcome
from tests.bench.training import prepared
from tests.training.running import wait_for
from tests.tui.terminal import Terminal

AT_REST = {"1": "page 1 of", "2": "62,006", "3": "The network to train", "4": "checkpoints"}
WITH_A_RUN = AT_REST | {"3": "● running"}
"""Keys of the screens, and what stands on each once it is there."""
SETTLING_SECONDS = 2.0
"""After which a screen has all that it shows."""
SLOW = 10_000
"""Bytes a second of a slow line."""


@contextmanager
def living_run(dataset: str) -> Iterator[Run]:
    """A run that trains as fast as it can, and longer than anybody watches."""
    run, host = start_run(plan_run(recipe="tutorial", dataset=dataset, overrides=["epochs=1000"], device="cpu"))
    try:
        wait_for(run, lambda history, state: state == "running" and history.latest is not None)
        yield run
    finally:
        command(run, Stop(save=False))
        host.wait(60)


def bytes_a_second(terminal: Terminal, key: str, text: str, seconds: float) -> float:
    """What a screen sends once it is there and nobody touches it."""
    terminal.press(key)
    terminal.wait_for(text)
    time.sleep(SETTLING_SECONDS)
    before = terminal.written
    time.sleep(seconds)
    return (terminal.written - before) / seconds


def seconds_until(terminal: Terminal, key: str, text: str) -> float:
    """How long it takes until what a key asks for is there."""
    started = time.monotonic()
    terminal.press(key)
    terminal.wait_for(text, seconds=120)
    return time.monotonic() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    dataset = prepared(options.dataset)
    columns, lines = map(int, options.size.split("x"))
    remember_welcome()
    _print_bytes("at rest", Terminal(columns, lines), AT_REST, options.seconds)
    with living_run(dataset):
        _print_bytes("with a living run", Terminal(columns, lines), WITH_A_RUN, options.seconds)
        slow = Terminal(columns, lines, bytes_per_second=SLOW)
        slow.wait_for("● running", seconds=120)
        for key, text in WITH_A_RUN.items():
            print(f"over {SLOW:,} bytes a second: {seconds_until(slow, key, text):.2f} s until {text!r} is there")
        slow.press("q")
        slow.process.wait(60)


def _print_bytes(what: str, terminal: Terminal, screens: dict[str, str], seconds: float) -> None:
    terminal.wait_for(" dataset", "evaluation")
    for key, text in screens.items():
        print(f"{what}, screen {key}: {bytes_a_second(terminal, key, text, seconds):,.0f} bytes a second", flush=True)
    terminal.press("q")
    terminal.process.wait(60)


if __name__ == "__main__":
    main()
