"""`cifartui bench loader`."""

import argparse
from contextlib import closing

from cifartui.cli.dataset import require_dataset
from cifartui.cli.interrupting import end_with_workers_when_interrupted
from cifartui.cli.output import print_json, say
from cifartui.cli.parsing import Commands, add_json, group
from cifartui.dataset.store import SKETCHES
from cifartui.text import bar
from cifartui.training.loading.loader_results import Measured, way_of_loading
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.settings import override

BAR_CELLS = 40


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "bench", "measure how fast this machine is")
    parser = actions.add_parser(
        "loader",
        help="compare ways of loading training images",
        description="Measure images per second of resident tensors and of the DataLoader with more and more workers, "
        "on the CPU; takes a minute or so.",
    )
    parser.add_argument("--dataset", default=SKETCHES, metavar="NAME", help=f"what to load ({SKETCHES})")
    parser.add_argument("--batch-size", type=int, metavar="N", help="the batch size to decide for (the recipe's)")
    parser.add_argument(
        "--recipe", default="tutorial", metavar="NAME|FILE", help="batch size, order and normalisation (tutorial)"
    )
    add_json(parser, "print one JSON object per measurement as it comes, and the verdict last")
    parser.set_defaults(handler=loader)


def loader(options: argparse.Namespace) -> None:
    """Measure the ways of loading and say which is fastest."""
    recipe = load_recipe(options.recipe)
    if options.batch_size is not None:
        recipe = override(recipe, [f"batch_size={options.batch_size}"])
    facts = require_dataset(options.dataset, as_json=options.json)
    end_with_workers_when_interrupted()
    if not options.json:
        say(f"images/s from the {facts.train:,} training images of {facts.name}: median, least to most")
    from cifartui.training.loading.loader_lab import measure_loaders

    most = 0.0
    with closing(measure_loaders(facts.name, recipe)) as results:
        for result in results:
            if options.json:
                print_json(result)
            elif isinstance(result, Measured):
                most = max(most, result.images_per_second)
                say(_line(result, most))
            else:
                say(result.sentence)


def _line(measured: Measured, most: float) -> str:
    """One measurement with a bar that is full at `most` images per second."""
    name = f"batch {measured.batch_size:<5} {way_of_loading(measured):<22}"
    if measured.note:
        return f"{name} not measured: {measured.note}"
    least, greatest = measured.spread
    filled = bar(measured.images_per_second / most if most else 0, BAR_CELLS).rstrip()
    return f"{name} {measured.images_per_second:>11,.0f}  {f'{least:,.0f} to {greatest:,.0f}':<24} {filled}"
