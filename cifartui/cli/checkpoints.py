"""`cifartui runs checkpoints | pin | unpin | remove`."""

import argparse
from typing import NamedTuple

import msgspec
from rich.table import Table

from cifartui.cli.asking import agreed
from cifartui.cli.output import complain, make_console, print_json, say, table
from cifartui.cli.parsing import Commands, add_json, add_run
from cifartui.errors import UsageError
from cifartui.text import printable
from cifartui.training.run.checkpoints import (
    CheckpointFacts,
    best_checkpoint,
    broken_checkpoints,
    find_checkpoint,
    list_checkpoints,
    remove_checkpoint,
)
from cifartui.training.run.folder import Run, find_run
from cifartui.training.run.keeping import is_last_whole, pin, remove_run, require_not_living, unpin


class Referred(NamedTuple):
    """A checkpoint that a command names."""

    run: Run
    facts: CheckpointFacts

    @property
    def name(self) -> str:
        """`RUN@STEP`."""
        return f"{self.run.id}@{self.facts.step}"


def add_commands(actions: Commands) -> None:
    """Add the commands of this file to those of `runs`."""
    listing = actions.add_parser("checkpoints", help="list a run's checkpoints, oldest first")
    add_run(listing)
    add_json(listing)
    listing.set_defaults(handler=checkpoints)

    for name, what in (("pin", "keep a checkpoint, whatever comes after it"), ("unpin", "let a pinned one go in time")):
        pinning = actions.add_parser(name, help=what)
        pinning.add_argument("checkpoint", metavar="RUN@STEP", help="RUN@best and RUN@last too")
        add_json(pinning)
        pinning.set_defaults(handler=set_pin, pinned=name == "pin")

    removing = actions.add_parser("remove", help="remove a run, or one of its checkpoints")
    removing.add_argument("what", metavar="RUN|RUN@STEP", help="a run with all that it holds, or a checkpoint")
    removing.add_argument("--yes", action="store_true", help="do not ask")
    removing.add_argument("--last", action="store_true", help="with --yes: also a run's last whole checkpoint")
    add_json(removing)
    removing.set_defaults(handler=remove)


def checkpoints(options: argparse.Namespace) -> None:
    """List a run's checkpoints, and complain about those that are damaged."""
    run = find_run(options.run)
    found = list_checkpoints(run)
    for step, why in broken_checkpoints(run).items():
        complain(f"The checkpoint of step {step:,} is damaged: {why}.")
    if options.json:
        print_json(found)
    elif found:
        make_console().print(checkpoint_table(found))
    else:
        say(f"{run.id} has no checkpoints")


def checkpoint_table(found: list[CheckpointFacts]) -> Table:
    """A row for each checkpoint."""
    best = best_checkpoint(found)
    rows = table("checkpoint", "epoch", "saved for", "held-out", "bytes", "", right=("checkpoint", "bytes"))
    for facts in found:
        accuracy = "–" if facts.validation_accuracy is None else f"{facts.validation_accuracy:.1%}"
        marks = " ".join(["best"] * (facts == best) + ["last"] * (facts == found[-1]) + ["pinned"] * facts.pinned)
        rows.add_row(f"{facts.step:,}", str(facts.epoch), facts.cause, accuracy, f"{facts.bytes:,}", marks)
    return rows


def set_pin(options: argparse.Namespace) -> None:
    """Pin or unpin a checkpoint."""
    run, facts = referred = _refer(options.checkpoint)
    (pin if options.pinned else unpin)(run, facts)
    if options.json:
        print_json(msgspec.structs.replace(facts, pinned=options.pinned))
    else:
        say(f"{'pinned' if options.pinned else 'unpinned'}: {referred.name}")


def remove(options: argparse.Namespace) -> int:
    """Remove a run or a checkpoint, after a question; a run's last whole checkpoint after a second one."""
    removed = _remove_checkpoint(options) if "@" in options.what else _remove_run(options)
    if not removed:
        complain("Nothing was removed.")
        return 1
    if options.json:
        print_json({"removed": removed})
    else:
        say(f"removed: {removed}")
    return 0


def _remove_run(options: argparse.Namespace) -> str:
    run = find_run(options.what)
    require_not_living(run)
    held = len(list_checkpoints(run))
    if not options.yes and not agreed(
        f"Remove {run.id} with its journal, its results and {held} checkpoints?",
        f"{run.id} is not removed without a question; add --yes.",
    ):
        return ""
    remove_run(run)
    return run.id


def _remove_checkpoint(options: argparse.Namespace) -> str:
    referred = _refer(options.what)
    is_last = is_last_whole(*referred)
    if not options.yes:
        pinned = ", which is pinned" * referred.facts.pinned
        is_agreed = agreed(
            f"Remove the checkpoint {referred.name}{pinned}?",
            f"{referred.name} is not removed without a question; add --yes.",
        )
        if not is_agreed or (
            is_last and not options.last and not agreed("It is the run's last whole one. Remove it all the same?", "")
        ):
            return ""
    elif is_last and not options.last:
        raise UsageError(f"{referred.name} is the run's last whole checkpoint; add --last to remove it all the same.")
    remove_checkpoint(*referred)
    return referred.name


def _refer(reference: str) -> Referred:
    name, _, which = reference.partition("@")
    if not which:
        raise UsageError(f"{printable(reference, 80)!r} names no checkpoint; write RUN@STEP, RUN@best or RUN@last.")
    run = find_run(name)
    return Referred(run, find_checkpoint(run, which))
