"""`cifartui train`."""

import argparse
import subprocess
import sys
from functools import partial
from typing import TypeAlias

from cifartui.cli.dataset import require_dataset
from cifartui.cli.follow import show_run
from cifartui.cli.output import complain, print_json, say, say_followed, watch
from cifartui.cli.parsing import Commands, add_assignments, add_journal_json, positive_int
from cifartui.cli.sweeping import run_sweep
from cifartui.dataset.store import SKETCHES
from cifartui.errors import UsageError
from cifartui.logind import logout_ends
from cifartui.training.device_names import DEVICE_NAMES
from cifartui.training.launch import DEFAULT_SEED, plan_run, start_run
from cifartui.training.resuming import fork_run, plan_fork
from cifartui.training.run.controls import Stop
from cifartui.training.run.events import Warned
from cifartui.training.run.folder import Run, RunConfig
from cifartui.training.run.follow import follow, read_history, tell
from cifartui.training.sweep import parse_variation, plan_sweep

INTERRUPTED = 130
RECIPE = "tutorial"
Started: TypeAlias = "tuple[Run, subprocess.Popen[bytes]]"


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser(
        "train",
        help="train a network",
        description="Train a network in a process of its own and show how it goes. "
        "Ctrl+C stops the run with a checkpoint; losing the terminal does not touch it.",
    )
    parser.add_argument("--recipe", metavar="NAME|FILE", help=f"how to train ({RECIPE})")
    parser.add_argument("--dataset", metavar="NAME", help=f"what to train on ({SKETCHES})")
    parser.add_argument(
        "--from", metavar="RUN@STEP", dest="parent", help="go on from a run's checkpoint, with other settings"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="change the recipe's number of epochs")
    parser.add_argument("--seed", type=int, metavar="N", help=f"same seed, same losses ({DEFAULT_SEED})")
    parser.add_argument("--device", choices=DEVICE_NAMES, help="where to train (auto)")
    add_assignments(parser)
    parser.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="KEY=V1,V2",
        dest="variations",
        help="train once with each of these values; several --sweep: with each combination; --json prints the summary",
    )
    parser.add_argument("--seeds", type=positive_int, metavar="N", help="train N times, from --seed on")
    parser.add_argument("--detach", action="store_true", help="do not wait for the run")
    add_now(parser)
    add_journal_json(parser)
    parser.set_defaults(handler=train)


def add_now(parser: argparse.ArgumentParser) -> None:
    """Add `--now`."""
    parser.add_argument("--now", action="store_true", help="do not wait for runs that train already")


def train(options: argparse.Namespace) -> int:
    """Start a run and, unless detached, show it to its end."""
    assignments = [*options.assignments]
    if options.epochs is not None:
        assignments.append(f"epochs={options.epochs}")
    if options.variations or options.seeds:
        return _sweep(options, assignments)
    run, host = (_fork if options.parent else _start)(options, assignments)
    if options.detach:
        say_detached(run, as_json=options.json)
        return 0
    if not options.json:
        config = run.config()
        say(f"run: {run.id}")
        if config.parent:
            say(f"goes on from {config.parent.name}")
        say_followed(config.dataset, config.followed)
    return show_to_its_end(run, host, as_json=options.json)


def _start(options: argparse.Namespace, assignments: list[str]) -> Started:
    """A new run."""
    require_dataset(options.dataset or SKETCHES, as_json=options.json)
    return start_run(_plan(options, assignments), now=options.now, hold=can_be_asked(options))


def _plan(options: argparse.Namespace, assignments: list[str]) -> RunConfig:
    """What a new run shall be."""
    return plan_run(
        recipe=options.recipe or RECIPE,
        dataset=options.dataset or SKETCHES,
        overrides=assignments,
        device=options.device or "auto",
        seed=DEFAULT_SEED if options.seed is None else options.seed,
    )


def _sweep(options: argparse.Namespace, assignments: list[str]) -> int:
    """Several new runs, one after the other."""
    if options.parent:
        raise UsageError(
            "--sweep and --seeds do not go with --from: a run from a checkpoint has its parent's settings."
        )
    if options.now:
        raise UsageError("--sweep and --seeds do not go with --now: these runs train one after the other.")
    variations = [parse_variation(text) for text in options.variations]
    require_dataset(options.dataset or SKETCHES, as_json=options.json)
    planning = plan_sweep(partial(_plan, options), variations, assignments, options.seeds or 1)
    return run_sweep(watch(planning, as_json=options.json), detach=options.detach, as_json=options.json)


def _fork(options: argparse.Namespace, assignments: list[str]) -> Started:
    """A run that goes on from another's checkpoint."""
    for name in ("recipe", "dataset", "seed"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"--{name} does not go with --from: a run from a checkpoint has its parent's; leave it out."
            )
    plan = plan_fork(options.parent, assignments, options.device)
    return fork_run(plan, now=options.now, hold=can_be_asked(options))


def can_be_asked(options: argparse.Namespace) -> bool:
    """Whether somebody is there to answer when a run goes wrong."""
    return not options.detach and sys.stdin.isatty() and sys.stdout.isatty()


def show_to_its_end(run: Run, host: "subprocess.Popen[bytes]", *, as_json: bool, first: int = 0) -> int:
    """Show a run that was started, from an event on, and what comes next; return the exit code."""
    code = show_until_interrupted(run, host, as_json=as_json, first=first)
    if code == 0 and not as_json:
        say(f"next: cifartui evaluate {run.id}")
    return code


def show_until_interrupted(run: Run, host: "subprocess.Popen[bytes]", *, as_json: bool, first: int = 0) -> int:
    """Show a run; Ctrl+C stops it with a checkpoint, a second Ctrl+C leaves it alone."""
    try:
        return show_run(run, as_json=as_json, first=first, host=host)
    except KeyboardInterrupt:
        tell(run, read_history(run)[0], Stop())
        complain("Interrupted: stopping the run with a checkpoint; press Ctrl+C again to leave it to itself.")
    for_the_rest = show_rest(run)
    complain(for_the_rest)
    return INTERRUPTED


def show_rest(run: Run) -> str:
    """Wait until a run that was told to stop has ended, saying what holds it up; return a sentence about the end."""
    for reading in follow(run, first=read_history(run)[0].length):
        for event in reading.events:
            if isinstance(event, Warned):
                complain(f"{event.message}.")
    history, state = read_history(run)
    message = f" ({history.finished.message.rstrip('.')})" if history.finished and history.finished.message else ""
    return f"Run {run.id} is {state} at step {history.step:,}{message}."


def say_detached(run: Run, *, as_json: bool) -> None:
    """Print the id of a run that is left to itself."""
    if as_json:
        print_json({"id": run.id})
    else:
        say(f"run: {run.id}")
        say(f"follow it with: cifartui runs follow {run.id}")
    if ends := logout_ends():
        complain(f"{ends.sentence}.")
