"""`cifartui train`."""

import argparse
import time

from cifartui.cli.dataset import require_dataset
from cifartui.cli.follow import show_run
from cifartui.cli.output import complain, print_json, say, say_followed
from cifartui.cli.parsing import Commands, add_journal_json
from cifartui.dataset.store import SKETCHES
from cifartui.training.device_names import DEVICE_NAMES
from cifartui.training.launch import DEFAULT_SEED, plan_run, start_run
from cifartui.training.run.controls import Stop
from cifartui.training.run.events import Warned
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import follow, read_history, tell

INTERRUPTED = 130


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser(
        "train",
        help="train a network",
        description="Train a network in a process of its own and show how it goes. "
        "Ctrl+C stops the run with a checkpoint; losing the terminal does not touch it.",
    )
    parser.add_argument("--recipe", default="tutorial", metavar="NAME|FILE", help="how to train (tutorial)")
    parser.add_argument("--dataset", default=SKETCHES, metavar="NAME", help=f"what to train on ({SKETCHES})")
    parser.add_argument("--epochs", type=int, metavar="N", help="change the recipe's number of epochs")
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, metavar="N", help=f"same seed, same losses ({DEFAULT_SEED})"
    )
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="where to train (auto)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="change a setting of the recipe",
    )
    parser.add_argument("--detach", action="store_true", help="do not wait for the run")
    add_journal_json(parser)
    parser.set_defaults(handler=train)


def train(options: argparse.Namespace) -> int:
    """Start a run and, unless detached, show it to its end."""
    require_dataset(options.dataset, as_json=options.json)
    assignments = [*options.assignments]
    if options.epochs is not None:
        assignments.append(f"epochs={options.epochs}")
    config = plan_run(
        recipe=options.recipe,
        dataset=options.dataset,
        overrides=assignments,
        device=options.device,
        seed=options.seed,
    )
    run, _ = start_run(config)
    if options.detach:
        _say_detached(run, as_json=options.json)
        return 0
    if not options.json:
        say(f"run: {run.id}")
        say_followed(config.dataset, config.followed)
    code = show_until_interrupted(run, as_json=options.json)
    if code == 0 and not options.json:
        say(f"next: cifartui evaluate {run.id}")
    return code


def show_until_interrupted(run: Run, *, as_json: bool) -> int:
    """Show a run; Ctrl+C stops it with a checkpoint, a second Ctrl+C leaves it alone."""
    try:
        return show_run(run, as_json=as_json)
    except KeyboardInterrupt:
        tell(run, read_history(run)[0], Stop())
        complain("Interrupted: stopping the run with a checkpoint; press Ctrl+C again to leave it to itself.")
    for_the_rest = show_rest(run)
    complain(for_the_rest)
    return INTERRUPTED


def show_rest(run: Run) -> str:
    """Wait until a run that was told to stop has ended, saying what holds it up; return a sentence about the end."""
    told = time.time()
    for reading in follow(run, first=read_history(run)[0].length):
        for event in reading.events:
            if isinstance(event, Warned) and event.time >= told:
                complain(f"{event.message}.")
    history, state = read_history(run)
    message = f" ({history.finished.message})" if history.finished and history.finished.message else ""
    return f"Run {run.id} is {state} at step {history.step:,}{message}."


def _say_detached(run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": run.id})
    else:
        say(f"run: {run.id}")
        say(f"follow it with: cifartui runs follow {run.id}")
