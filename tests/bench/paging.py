"""How long 35 small pictures take to turn, from the key to the last byte, in a real pty of 130×49.

`python -m tests.bench.paging --dataset NAME [--pages N]`.
"""

import argparse
import gc
import os
import time

from cifartui.tui.guide import remember_welcome
from tests.bench.training import prepared, spread
from tests.tui.terminal import Terminal

RIGHT = "\x1b[C"
PER_PAGE = 35
QUIET_SECONDS = 0.2
"""Without a byte, after which a page is whole."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--pages", type=int, default=20)
    options = parser.parse_args()
    prepared(options.dataset)
    os.environ |= {"COLORTERM": "truecolor", "CIFARTUI_PICTURES": "blocks"}
    gc.disable()  # of this process, which only watches
    remember_welcome()
    terminal = Terminal(130, 49, emulated=False)
    terminal.wait_until(lambda: b"page 1 of" in terminal.output)
    terminal.press("Z")
    time.sleep(1)
    milliseconds = []
    for _ in range(options.pages):
        started = last = time.perf_counter()
        written = before = terminal.written
        os.write(terminal.descriptor, RIGHT.encode())
        while written == before or time.perf_counter() - last < QUIET_SECONDS:
            time.sleep(0.001)
            if terminal.written > written:
                written, last = terminal.written, time.perf_counter()
        milliseconds.append(1000 * (last - started))
    terminal.press("q")
    terminal.process.wait()
    print(f"page turn at 130×49, {PER_PAGE} pictures, truecolor: {spread(milliseconds, 0)} ms")


if __name__ == "__main__":
    main()
