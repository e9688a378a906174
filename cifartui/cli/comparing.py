"""`cifartui runs compare`."""

import argparse
from collections.abc import Sequence

from cifartui.cli.output import complain, make_console, print_json, say, table
from cifartui.cli.parsing import Commands, add_json
from cifartui.evaluation.comparison import NOTHING, ComparedRun, compare
from cifartui.text import clock, printable, size
from cifartui.training.run.folder import find_run

BEST = " ★"


def add_commands(actions: Commands) -> None:
    """Add the command of this file to those of `runs`."""
    parser = actions.add_parser(
        "compare", help="what several runs came to, and the settings in which they differ, side by side"
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="two or more: their ids, parts of them, or titles")
    add_json(parser)
    parser.set_defaults(handler=compare_)


def compare_(options: argparse.Namespace) -> None:
    """Put runs side by side."""
    comparison = compare([find_run(reference) for reference in options.runs])
    for run in comparison.runs:
        if run.problem:
            complain(run.problem)
    if options.json:
        print_json(comparison)
        return
    names = short_names(comparison.runs)
    for name, run in zip(names, comparison.runs, strict=True):
        say(f"{name}: {run.id}{f' ({run.title})' * bool(run.title)}")
    results = table("results", *names, right=names)
    for row in result_rows(comparison.runs):
        results.add_row(*row)
    make_console().print(results)
    say()
    if not comparison.differences:
        say("Their settings are the same.")
        return
    settings = table("settings that differ", *names, right=names)
    for difference in comparison.differences:
        settings.add_row(difference.key, *map(printable, difference.values))
    make_console().print(settings)


def short_names(runs: Sequence[ComparedRun]) -> tuple[str, ...]:
    """The last parts of the runs' ids, which are enough to name them by, unless they are the same."""
    tags = tuple(run.id.rpartition("-")[2] for run in runs)
    return tags if len(set(tags)) == len(tags) else tuple(run.id for run in runs)


def result_rows(runs: Sequence[ComparedRun]) -> list[list[str]]:
    """A row for each kind of result, with the best accuracies marked."""
    return [
        ["state", *(run.state for run in runs)],
        ["epoch", *(f"{run.epoch:,} of {run.epochs:,}" for run in runs)],
        ["best held-out accuracy", *_shares([run.best_accuracy for run in runs])],
        ["test accuracy", *_shares([run.test_accuracy for run in runs])],
        ["training accuracy, last epoch", *_shares([run.last_accuracy for run in runs], marked=False)],
        ["training loss, last epoch", *(NOTHING if run.loss is None else f"{run.loss:.3f}" for run in runs)],
        ["time spent training", *(clock(run.seconds) for run in runs)],
        ["size on the disk", *(size(run.bytes) for run in runs)],
    ]


def _shares(values: Sequence[float | None], *, marked: bool = True) -> list[str]:
    best = max((value for value in values if value is not None), default=None)
    return [NOTHING if value is None else f"{value:.1%}{BEST * (marked and value == best)}" for value in values]
