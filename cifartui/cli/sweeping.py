"""A sweep as commands show it: its runs in turn, and what came of all of them in one table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar

from cifartui.cli.follow import bar_text
from cifartui.cli.output import complain, make_console, print_json, say, table, watch
from cifartui.errors import CifartuiError
from cifartui.logind import logout_ends
from cifartui.text import clock
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import follow, why_interrupted
from cifartui.training.run.history import RunHistory
from cifartui.training.sweep import Mean, StartedRun, Sweep, SweepSummary, SweptRun

INTERRUPTED = 130
NOTHING = "–"


def run_sweep(planned: Sequence[SweptRun], *, detach: bool, as_json: bool) -> int:
    """Queue the runs of a sweep and, unless detached, show them to their end; return the exit code.

    Ctrl+C takes out of the queue what waits and stops what trains with a checkpoint; a second one leaves all alone.
    """
    sweep = Sweep(planned)
    code = 0
    try:
        _queue(sweep, as_json=as_json)
        if not detach:
            _show(sweep, as_json=as_json)
    except KeyboardInterrupt:
        complain(
            "Interrupted: taking the runs that wait out of the queue, and stopping the one that trains with a "
            "checkpoint; press Ctrl+C again to leave them to themselves."
        )
        sweep.take_out()
        code = INTERRUPTED
    summary = sweep.summary()
    if as_json:
        print_json(summary)
    elif detach and not code:
        _say_queued(sweep.started)
    else:
        _say_summary(summary)
    return code or int(not detach and any(run.state != "finished" for run in summary.runs))


def _queue(sweep: Sweep, *, as_json: bool) -> None:
    try:
        watch(sweep.queue(), as_json=as_json)
    except (CifartuiError, OSError):  # half a sweep is none that was asked for
        sweep.take_out()
        raise


def _show(sweep: Sweep, *, as_json: bool) -> None:
    """Follow the runs in turn, with a line for each."""
    with _bar(as_json) as bar:
        for number, (swept, run, host) in enumerate(sweep.started, 1):
            place = f"{number} of {len(sweep.started)}  {swept.title}"
            history = RunHistory()
            if not as_json and not bar:
                say(f"{place}: {run.id}")
            for reading in follow(run, host=host):
                history = reading.history
                if bar:
                    text = f"{place}  {bar_text(history, reading.stalled_seconds)}"
                    done = (number - 1 + history.fraction) / len(sweep.started)
                    bar.update(bar.task_ids[0], completed=done, description=text)
            if history.finished and history.finished.reason == "failed":
                complain(f"Run {run.id} failed: {history.finished.message}")
            elif history.finished is None:
                complain(why_interrupted(run))
            if bar:
                bar.console.print(f"{place}: {_outcome(run, history)}")
            elif not as_json:
                say(f"  {_outcome(run, history)}")


def _outcome(run: Run, history: RunHistory) -> str:
    state = history.finished.reason if history.finished else "interrupted"
    best = f", held-out {history.best.accuracy:.1%}" if history.best else ""
    training = f", training {history.epochs[-1].accuracy:.1%}" if history.epochs else ""
    return f"{state}{best}{training}, {clock(history.trained_seconds)}"


def _say_queued(started: Sequence[StartedRun]) -> None:
    for swept, run, _ in started:
        say(f"run: {run.id}  {swept.title}")
    say(f"compare them with: cifartui runs compare {' '.join(each.run.id for each in started)}")
    if ends := logout_ends():
        complain(f"{ends.sentence}.")


def _say_summary(summary: SweepSummary) -> None:
    """A row for each combination of values, with mean and spread over its seeds, and what else there is to say."""
    finished = [item for item in summary.values if item.finished]
    if finished:
        _print_table(summary)
    if any(item.best_accuracy is None for item in finished):
        complain(
            "No images were held out, so nothing says which values are better on images that were not trained on; "
            "hold some out with --set validation.images=N."
        )
    stopped = [run for run in summary.runs if run.state == "stopped"]
    if stopped:
        complain(
            f"{len(stopped)} of {len(summary.runs)} runs were stopped; `cifartui runs continue RUN` takes one up again."
        )


def _print_table(summary: SweepSummary) -> None:
    keys = list(summary.values[0].values)
    results = ("held-out", "training", "loss", "time")
    rows = table(*keys, "finished", *results, right=(*keys, *results))
    for item in summary.values:
        rows.add_row(
            *item.values.values(),
            f"{item.finished} of {item.runs}",
            _share(item.best_accuracy),
            _share(item.last_accuracy),
            NOTHING if item.loss is None else f"{item.loss.mean:.3f}{_spread(item.loss, '.3f')}",
            NOTHING if item.seconds is None else clock(item.seconds.mean),
        )
    make_console().print(rows)


def _share(mean: Mean | None) -> str:
    if mean is None:
        return NOTHING
    spread = "" if mean.spread is None else f" ± {100 * mean.spread:.1f}"
    return f"{100 * mean.mean:.1f}{spread} %"


def _spread(mean: Mean, digits: str) -> str:
    return "" if mean.spread is None else f" ± {mean.spread:{digits}}"


@contextmanager
def _bar(as_json: bool) -> Iterator[ProgressBar | None]:
    console = make_console()
    if as_json or not console.is_terminal:
        yield None
        return
    with ProgressBar(BarColumn(bar_width=20), TextColumn("{task.description}"), console=console, transient=True) as bar:
        bar.add_task("starting", total=1.0)
        yield bar
