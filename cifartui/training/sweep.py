"""A sweep: the same training with several values of some settings and several seeds, as ordinary runs in the queue."""

import itertools
import math
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from cifartui.errors import CifartuiError, UsageError
from cifartui.progress import LongWork, Progress
from cifartui.text import printable
from cifartui.training.launch import check_seed, start_run
from cifartui.training.run.controls import Stop
from cifartui.training.run.folder import MAX_TITLE, Run, RunConfig
from cifartui.training.run.follow import read_history, tell
from cifartui.training.run.queue import queue_of_home
from cifartui.training.run.states import LIVING, RunState

MOST_RUNS = 64
"""Of a sweep: each waits in a process of its own, of 12 MB."""
TICKET_SECONDS = 30.0
"""A run that has no place in the queue by then will not get one."""
POLL_SECONDS = 0.02
OPENING, CLOSING, QUOTES = "[{", "]}", "\"'"


class Variation(NamedTuple):
    """A setting with the values that it shall have in turn."""

    key: str
    values: tuple[str, ...]


class SweptRun(msgspec.Struct, frozen=True):
    """A run of a sweep, planned."""

    config: RunConfig
    values: dict[str, str]
    """Of the settings that vary, by key."""
    title: str


class StartedRun(NamedTuple):
    """A run of a sweep that waits in the queue, trains, or has ended."""

    swept: SweptRun
    run: Run
    host: "subprocess.Popen[bytes]"


class Mean(msgspec.Struct, frozen=True):
    """Of one result over several seeds."""

    mean: float
    spread: float | None
    """Standard deviation (of a sample, n - 1); None of a single run."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run of a sweep."""

    id: str
    values: dict[str, str]
    """Of the settings that vary, by key."""
    seed: int
    state: RunState
    best_accuracy: float | None
    """On held-out images, 0-1; None where none were held out."""
    last_accuracy: float | None
    """On the training images in the last whole epoch, 0-1."""
    loss: float | None
    """Mean over the last whole epoch."""
    seconds: float
    """Spent training."""


class ValuesResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the runs with the same values, over their seeds; of those that finished."""

    values: dict[str, str]
    runs: int
    finished: int
    best_accuracy: Mean | None
    last_accuracy: Mean | None
    loss: Mean | None
    seconds: Mean | None


class SweepSummary(msgspec.Struct, frozen=True):
    """What came of a sweep."""

    runs: tuple[RunResult, ...]
    """In the order in which they were queued."""
    values: tuple[ValuesResult, ...]


def parse_variation(text: str) -> Variation:
    """Read `key=value,value`; commas within brackets and quotes belong to a value.

    Raises:
        UsageError: it is not of that form, or names a value twice.
    """
    key, equals, listed = text.partition("=")
    values = _split(listed)
    shown = printable(text, 80)
    if not equals or not key.strip() or not all(values):
        raise UsageError(f"{shown!r} is no sweep: write it as key=value,value.")
    for value in values:
        if values.count(value) > 1:
            raise UsageError(f"{shown!r} names the value {printable(value, 40)} twice; leave one out.")
    return Variation(key.strip(), tuple(values))


def plan_sweep(
    plan: Callable[[list[str]], RunConfig], variations: Sequence[Variation], overrides: Iterable[str], seeds: int
) -> LongWork[list[SweptRun]]:
    """Plan every run of a sweep before any is started: each value of each setting with each, and each of those with
    so many seeds, from that of `plan` on. `plan` makes a run's plan of its `key=value` overrides.

    Raises:
        CifartuiError: a value is not allowed, the runs are too many, or a setting is named twice.
    """
    count = seeds * math.prod(len(variation.values) for variation in variations)
    if count > MOST_RUNS:
        raise UsageError(
            f"This sweep would be {count:,} runs; at most {MOST_RUNS} are queued at once: name fewer values or seeds."
        )
    fixed = list(overrides)
    named = [override.partition("=")[0].strip() for override in fixed] + [variation.key for variation in variations]
    for variation in variations:
        if named.count(variation.key) > 1:
            raise UsageError(
                f"{printable(variation.key, 80)} is named twice; give all its values in one --sweep, and only there."
            )
    swept: list[SweptRun] = []
    for values in itertools.product(*(variation.values for variation in variations)):
        yield Progress("planning the runs", len(swept), count, unit="runs")
        chosen = {variation.key: value for variation, value in zip(variations, values, strict=True)}
        config = plan([*fixed, *(f"{key}={value}" for key, value in chosen.items())])
        check_seed(config.seed + seeds - 1)
        for seed in range(config.seed, config.seed + seeds):
            words = [f"{key.removesuffix('.name').rpartition('.')[2]}={value}" for key, value in chosen.items()]
            title = printable(" ".join([*words, *[f"seed={seed}"] * (seeds > 1)]), MAX_TITLE - 1)
            swept.append(SweptRun(msgspec.structs.replace(config, seed=seed), chosen, title))
    return swept


class Sweep:
    """The runs of a sweep that were started so far."""

    def __init__(self, planned: Sequence[SweptRun]) -> None:
        self.planned = planned
        self.started: list[StartedRun] = []

    def queue(self) -> LongWork[None]:
        """Create the runs and start their hosts, which wait for their turns in this order; in the main thread.

        Raises:
            OSError: a folder cannot be written or a process not be started.
        """
        for swept in self.planned:
            yield Progress("queueing the runs", len(self.started), len(self.planned), unit="runs")
            with uninterrupted():
                run, host = start_run(msgspec.structs.replace(swept.config, created=time.time()))
                self.started.append(StartedRun(swept, run, host))
            run.rename(swept.title)
            deadline = time.monotonic() + TICKET_SECONDS
            while run.id not in queue_of_home() and host.poll() is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def take_out(self) -> None:
        """Take the runs that wait out of the queue, then stop the one that trains with a checkpoint; wait for all."""
        training = [started for started in self.started if read_history(started.run)[0].started]
        _stop([started for started in self.started if started not in training])  # first: else the next would begin
        _stop(training)

    def summary(self) -> SweepSummary:
        """What came of the runs so far."""
        results = [_result(started) for started in self.started]
        together: dict[tuple[str, ...], list[RunResult]] = {}
        for result in results:
            together.setdefault(tuple(result.values.values()), []).append(result)
        return SweepSummary(tuple(results), tuple(map(_over_seeds, together.values())))


def _split(listed: str) -> list[str]:
    """The parts between the commas that stand in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in listed:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        elif letter in OPENING + CLOSING:
            depth += 1 if letter in OPENING else -1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl+C wait: a host that was started and not noted could not be taken out of the queue. Main thread only."""
    interrupted = False

    def note(*_: object) -> None:
        nonlocal interrupted
        interrupted = True

    former = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if interrupted:
        raise KeyboardInterrupt


def _stop(runs: Sequence[StartedRun]) -> None:
    for started in runs:
        history, state = read_history(started.run)
        if state not in LIVING:
            continue
        try:
            tell(started.run, history, Stop())
        except CifartuiError:  # the disk takes no command; the signal means the same
            started.host.terminate()
    for started in runs:
        started.host.wait()


def _result(started: StartedRun) -> RunResult:
    history, state = read_history(started.run)
    last = history.epochs[-1] if history.epochs else None
    return RunResult(
        id=started.run.id,
        values=started.swept.values,
        seed=started.swept.config.seed,
        state=state,
        best_accuracy=history.best.accuracy if history.best else None,
        last_accuracy=last.accuracy if last else None,
        loss=last.loss if last else None,
        seconds=history.trained_seconds,
    )


def _over_seeds(results: Sequence[RunResult]) -> ValuesResult:
    finished = [result for result in results if result.state == "finished"]
    return ValuesResult(
        values=results[0].values,
        runs=len(results),
        finished=len(finished),
        best_accuracy=_mean([result.best_accuracy for result in finished]),
        last_accuracy=_mean([result.last_accuracy for result in finished]),
        loss=_mean([result.loss for result in finished]),
        seconds=_mean([result.seconds for result in finished]),
    )


def _mean(values: Sequence[float | None]) -> Mean | None:
    """None where not every run has such a result."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return Mean(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None)
