"""`cifartui lr-find`."""

import argparse
import contextlib
import sys
from collections.abc import Iterator

from cifartui.cli.dataset import require_dataset
from cifartui.cli.interrupting import end_with_workers_when_interrupted
from cifartui.cli.output import print_json, say
from cifartui.cli.parsing import Commands, add_assignments, add_json
from cifartui.dataset.store import SKETCHES
from cifartui.text import bar
from cifartui.training.device_names import DEVICE_NAMES
from cifartui.training.launch import DEFAULT_SEED, plan_run
from cifartui.training.rate_rules import RatesFound, RateTried
from cifartui.training.recipes.recipe import RATE
from cifartui.training.run.folder import RunConfig

RATES_PER_LINE = 5
BAR_CELLS = 40
FULL_BAR = 1.25
"""Times the loss at the beginning."""


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser(
        "lr-find",
        help="find a learning rate to train with",
        description="Train a copy while the learning rate goes up, and say where the loss falls. It leaves no trace.",
    )
    parser.add_argument("--recipe", default="tutorial", metavar="NAME|FILE", help="how to train (tutorial)")
    parser.add_argument("--dataset", default=SKETCHES, metavar="NAME", help=f"what to train on ({SKETCHES})")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N", help=f"as of a run ({DEFAULT_SEED})")
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="where to train (auto)")
    add_assignments(parser)
    add_json(parser, "print one JSON object per learning rate as it comes, and the suggestions last")
    parser.set_defaults(handler=find)


def find(options: argparse.Namespace) -> None:
    """Go up with the learning rate and say which ones to train with."""
    require_dataset(options.dataset, as_json=options.json)
    config = plan_run(
        recipe=options.recipe,
        dataset=options.dataset,
        overrides=options.assignments,
        device=options.device,
        seed=options.seed,
    )
    end_with_workers_when_interrupted()
    if options.json:
        for result in _results(config):
            print_json(result)
        return
    say(f"{config.network.name} on {config.dataset}: the loss at each learning rate")
    tried: list[RateTried] = []
    for result in _results(config):
        if isinstance(result, RatesFound):
            _say_found(result, config)
        else:
            tried.append(result)
            if result.smoothed is None or result.number % RATES_PER_LINE == 1:
                say(_line(result, tried[0]))


def _results(config: RunConfig) -> Iterator[RateTried | RatesFound]:
    """What the finder yields; what a network of the user's own prints meanwhile is no result of ours."""
    from cifartui.training.finder import find_rates

    with contextlib.closing(find_rates(config)) as results:
        while True:
            with contextlib.redirect_stdout(sys.stderr):
                result = next(results, None)
            if result is None:
                return
            yield result


def _line(point: RateTried, first: RateTried) -> str:
    if point.smoothed is None or not first.smoothed:
        return f"{point.rate:>8.1e}  not a finite number"
    filled = bar(point.smoothed / (FULL_BAR * first.smoothed), BAR_CELLS).rstrip()
    return f"{point.rate:>8.1e}  {point.smoothed:>7.3f}  {filled}"


def _say_found(found: RatesFound, config: RunConfig) -> None:
    for suggestion in found.suggestions:
        say(f"{suggestion.rule:<8}  {suggestion.rate:<7g}  {suggestion.why}")
    if found.problem:
        say(found.problem)
        return
    say(
        f"It is {config.settings.optimizer.learning_rate:g} now; set it with --set {RATE}={found.suggestions[0].rate:g}"
    )
