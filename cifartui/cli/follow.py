"""Showing a run while it goes on: the tutorial's log lines, and a bar below them on a terminal."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from cifartui.cli.output import complain, make_console, print_json, say
from cifartui.text import clock, printable
from cifartui.training.run.events import AnyEvent, LineDamaged, MemoryExhausted, NotFiniteFound, RunFinished, RunStarted
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import follow, why_interrupted, why_stalled
from cifartui.training.run.history import RunHistory
from cifartui.training.run.sentences import facts_of, sentences_of


def show_run(run: Run, *, as_json: bool, first: int = 0, host: "subprocess.Popen[bytes] | None" = None) -> int:
    """Show a run from an event on until it ends; return 0 if it finished or was stopped as asked, else 1.

    A `host` that was started for it is waited for.
    """
    was_damaged = was_stalled = was_held = False
    history = RunHistory()
    with _bar(as_json) as bar:
        for reading in follow(run, first=first, host=host):
            history, stalled = reading.history, reading.stalled_seconds
            for event in reading.events:
                if isinstance(event, LineDamaged):
                    continue
                if as_json:
                    print_json(event)
                elif not (isinstance(event, RunFinished) and event.reason == "failed"):  # told below
                    _print_event(event, bar)
            if history.damaged and not was_damaged:
                complain(f"{history.damaged.sentence}.")
            if stalled is not None and not was_stalled:
                complain(why_stalled(run, history, stalled))
            is_held = history.trouble is not None and reading.state == "paused"
            if history.trouble and is_held and not was_held:
                complain(answers_to(run, history.trouble))
            was_held = is_held
            was_damaged, was_stalled = history.damaged is not None, stalled is not None
            if bar:
                bar.update(bar.task_ids[0], completed=history.fraction, description=bar_text(history, stalled))
    if history.finished is None:
        complain(why_interrupted(run))
        return 1
    if history.finished.reason == "failed":
        complain(history.finished.message)
        return 1
    return 0


def answers_to(run: Run, trouble: NotFiniteFound | MemoryExhausted) -> str:
    """Says with which commands a run that is held for what went wrong is answered."""
    if isinstance(trouble, NotFiniteFound):
        answers = [
            f"go back to the last checkpoint at half the rate: `cifartui runs rollback {run.id}`",
            f"go on: `cifartui runs resume {run.id}`",
        ]
    else:
        parts = f"go on with {trouble.fits:,} images at once: `cifartui runs accumulate {run.id}`"
        answers = [parts] if trouble.fits else []
    answers.append(f"stop: `cifartui runs stop {run.id}`")
    return f"The run holds and waits for an answer: {'; '.join(answers)}."


def stalled_text(seconds: float) -> str:
    """Says in a few words that a living run tells nothing."""
    return f"no step for {clock(seconds) if seconds >= 60 else f'{seconds:.0f} s'}"


def bar_text(history: RunHistory, stalled_seconds: float | None = None) -> str:
    """Where a run stands, in a line; for one that stands still for so long, that instead of rate and time left."""
    if history.behind:
        return f"waiting for {', '.join(history.behind)}"
    if not history.started:
        return "starting: loading torch and the images"
    text = f"epoch {history.epoch} of {history.epochs_asked}  step {history.step:,} of {history.steps:,}"
    if history.latest and history.latest.loss is not None:
        text += f"  loss {history.latest.loss:.3f}"
    if stalled_seconds is not None:
        return f"{text}  {stalled_text(stalled_seconds)}"
    if history.images_per_second:
        text += f"  {history.images_per_second:,.0f} images/s"
    if history.seconds_left is not None:
        text += f"  {clock(history.seconds_left)} left"
    return text


def _print_event(event: AnyEvent, bar: Progress | None) -> None:
    facts = facts_of(event) if isinstance(event, RunStarted) else ()
    for line in (*facts, *sentences_of(event)):
        if bar:
            bar.console.print(printable(line))
        else:
            say(line)


@contextmanager
def _bar(as_json: bool) -> Iterator[Progress | None]:
    if as_json or not sys.stdout.isatty():
        yield None
        return
    with Progress(
        BarColumn(bar_width=20), TextColumn("{task.description}"), console=make_console(), transient=True
    ) as bar:
        bar.add_task("starting", total=1.0)
        yield bar
