"""How long the picture wall takes to turn a page, from the key to the last caption, in a real pty of 160×45.

`python -m tests.bench.paging --dataset NAME [--pages N]`.
"""

import argparse
import gc
import os
import time

from cifartui.dataset.pictures import picture_order
from cifartui.tui.guide import remember_welcome
from tests.bench.training import prepared, spread
from tests.tui.terminal import Terminal

RIGHT = "\x1b[C"
PER_PAGE = 6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--pages", type=int, default=20)
    options = parser.parse_args()
    order = picture_order(prepared(options.dataset), "train", None)
    os.environ["COLORTERM"] = "truecolor"
    gc.disable()  # of this process, which only watches
    remember_welcome()
    terminal = Terminal(160, 45, emulated=False)
    terminal.wait_until(lambda: f"#{order[PER_PAGE - 1]}".encode() in terminal.output)
    time.sleep(1)
    milliseconds = []
    for page in range(1, options.pages + 1):
        last = f"#{order[PER_PAGE * (page + 1) - 1]}".encode()
        before = terminal.written
        started = time.perf_counter()
        os.write(terminal.descriptor, RIGHT.encode())
        while last not in terminal.output_since(before):
            time.sleep(0.001)
        milliseconds.append(1000 * (time.perf_counter() - started))
        time.sleep(0.2)
    terminal.press("q")
    terminal.process.wait()
    print(f"page turn at 160×45, {PER_PAGE} pictures, truecolor: {spread(milliseconds, 0)} ms")


if __name__ == "__main__":
    main()
