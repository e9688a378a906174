"""Showing a run while it goes on: the tutorial's log lines, and a bar below them on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from cifartui.cli.output import complain, make_console, print_json, say
from cifartui.text import clock, printable
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    LineDamaged,
    LossLogged,
    RunFinished,
    RunStarted,
    StateChanged,
    Validated,
    Warned,
)
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import follow, why_interrupted, why_stalled
from cifartui.training.run.history import RunHistory, fold


def show_run(run: Run, *, as_json: bool) -> int:
    """Show a run until it ends; return 0 if it finished or was stopped as asked, else 1."""
    history = RunHistory()
    stalled: float | None = None
    with _bar(as_json) as bar:
        for events in follow(run):
            was_damaged, was_stalled = history.damaged is not None, stalled is not None
            history = fold(history, events)
            for event in events:
                if isinstance(event, LineDamaged):
                    if not was_damaged:
                        complain(f"{event.sentence}.")
                        was_damaged = True
                elif as_json:
                    print_json(event)
                else:
                    _print_event(event, bar)
            stalled = history.stalled_seconds(run.state(history.finished, history.changed))
            if stalled is not None and not was_stalled:
                complain(why_stalled(run, history, stalled))
            if bar:
                bar.update(bar.task_ids[0], completed=history.fraction, description=bar_text(history, stalled))
    if history.finished is None:
        complain(why_interrupted(run))
        return 1
    if history.finished.reason == "failed":
        complain(history.finished.message)
        return 1
    return 0


def stalled_text(seconds: float) -> str:
    """Says in a few words that a living run tells nothing."""
    return f"no step for {clock(seconds) if seconds >= 60 else f'{seconds:.0f} s'}"


def bar_text(history: RunHistory, stalled_seconds: float | None = None) -> str:
    """Where a run stands, in a line; for one that stands still for so long, that instead of rate and time left."""
    latest = history.latest
    if not latest or not history.started:
        return "starting: loading torch and the images"
    text = f"epoch {latest.epoch} of {history.started.epochs}  step {latest.step:,} of {history.steps:,}"
    if latest.loss is not None:
        text += f"  loss {latest.loss:.3f}"
    if stalled_seconds is not None:
        return f"{text}  {stalled_text(stalled_seconds)}"
    if history.images_per_second:
        text += f"  {history.images_per_second:,.0f} images/s"
    if history.seconds_left is not None:
        text += f"  {clock(history.seconds_left)} left"
    return text


def _print_event(event: AnyEvent, bar: Progress | None) -> None:
    for line in _lines(event):
        if bar:
            bar.console.print(printable(line))
        else:
            say(line)


def _lines(event: AnyEvent) -> Iterator[str]:
    match event:
        case RunStarted():
            held_out = f" + {event.validation_images:,} held out" if event.validation_images else ""
            yield f"device: {event.device}: {event.device_reason}"
            yield (
                f"training {event.network} ({event.parameters:,} parameters) on {event.dataset}: "
                f"{event.train_images:,} images{held_out}, batch {event.batch_size}, "
                f"{event.epochs} epochs of {event.steps_per_epoch:,} steps"
            )
        case LossLogged():
            yield event.line
        case Validated():
            yield f"epoch {event.epoch}: {event.accuracy:.1%} of {event.images:,} held-out images"
        case CheckpointSaved():
            yield f"checkpoint saved at step {event.step:,} ({event.bytes:,} bytes)"
        case CheckpointPruned():
            yield f"checkpoint of step {event.step:,} removed: {event.reason}"
        case Warned():
            yield f"warning: {event.message}"
        case StateChanged(state="paused"):
            yield "paused"
        case RunFinished(reason="finished"):
            yield "Finished Training"
            if event.message:
                yield event.message
        case RunFinished(reason="stopped"):
            yield f"stopped {event.message}"
        case _:
            return


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
