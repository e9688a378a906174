"""How a command ends at once that has torch's DataLoader at work."""

import multiprocessing
import os
import signal

from cifartui.cli.output import complain

JOIN_SECONDS = 1.0


def end_with_workers_when_interrupted() -> None:
    """Let Ctrl+C and SIGTERM end this process and the workers it started."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_with_workers)


def _end_with_workers(number: int, _: object) -> None:
    """End at once: an exception would be lost where it meets torch shutting its workers down in a `__del__`."""
    if multiprocessing.parent_process():  # a worker, which Ctrl+C reaches as well
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler raises when a worker ends
    for worker in multiprocessing.active_children():
        worker.terminate()
        worker.join(JOIN_SECONDS)
    complain("Interrupted.")
    os._exit(128 + number)
