"""What commands print: results on stdout, progress and complaints on stderr."""

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from cifartui.progress import LongWork, Progress
from cifartui.text import printable

Result = TypeVar("Result")

PLAIN_WIDTH = 160
"""Columns of tables that go to a file or pipe."""
LINE_SECONDS = 2.0
"""Between two plain lines of progress."""
JSON_SECONDS = 0.1
"""Between two JSON lines of progress."""


def make_console(*, stderr: bool = False) -> Console:
    """A console that takes no markup from names and never wraps what goes to a file."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)


def say(text: str = "") -> None:
    """Print one line of a command's result."""
    print(printable(text, 10_000), flush=True)


def say_followed(dataset: str, clauses: Iterable[str]) -> None:
    """Print what of a recipe or network follows a data set."""
    for clause in clauses:
        say(f"follows {dataset}: {clause}")


def say_written(target: Path, text: str) -> None:
    """Print a line about a file that was written; on stderr where the file is stdout itself."""
    with suppress(OSError):
        if os.path.samestat(target.stat(), os.fstat(sys.stdout.fileno())):
            print(printable(text, 10_000), file=sys.stderr, flush=True)
            return
    say(text)


def complain(text: str) -> None:
    """Print an error or warning on stderr."""
    print(f"cifartui: {printable(text, 10_000)}", file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    print(msgspec.json.encode(value).decode(), flush=True)


def table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table without boxes; the columns named in `right` are right-aligned."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        made.add_column(header, justify="right" if header in right else "left", no_wrap=True)
    return made


def watch(work: LongWork[Result], *, as_json: bool = False) -> Result:
    """Run long work to its end, showing its progress on stderr, and return its result."""
    if as_json:
        return _watch_json(work)
    if sys.stderr.isatty():
        return _watch_bar(work)
    return _watch_lines(work)


def _watch_bar(work: LongWork[Result]) -> Result:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(),
    )
    with ProgressBar(*columns, console=make_console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None, amount="")
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                result: Result = end.value
                return result
            bar.update(task, description=step.activity, completed=step.done, total=step.total, amount=step.amount)


def _watch_lines(work: LongWork[Result]) -> Result:
    due = time.monotonic() + LINE_SECONDS
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_SECONDS
            print(f"{step.activity}: {step.amount}", file=sys.stderr, flush=True)


def _watch_json(work: LongWork[Result]) -> Result:
    due = 0.0
    shown: Progress | None = None
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        changed_activity = shown is None or shown.activity != step.activity
        if changed_activity or time.monotonic() >= due or step.done == step.total:
            due, shown = time.monotonic() + JSON_SECONDS, step
            print(msgspec.json.encode(step).decode(), file=sys.stderr, flush=True)
