"""`cifartui runs continue`."""

import argparse

from cifartui.cli.asking import agreed
from cifartui.cli.output import complain, say
from cifartui.cli.parsing import Commands, add_journal_json, positive_int
from cifartui.cli.train import add_now, can_be_asked, say_detached, show_to_its_end
from cifartui.training.resuming import Continuation, continue_run, plan_continuation
from cifartui.training.run.folder import find_run
from cifartui.training.run.follow import read_history


def add_commands(actions: Commands) -> None:
    """Add the command of this file to those of `runs`."""
    parser = actions.add_parser(
        "continue",
        help="let a run that has ended go on, from its newest checkpoint or another",
        description="Let a run that has ended go on as if it never had, and show how it goes.",
    )
    parser.add_argument("reference", metavar="RUN[@STEP]", help="RUN@best and RUN@last too; else its newest whole one")
    parser.add_argument("--epochs", type=positive_int, metavar="N", help="how many epochs it shall have in all")
    parser.add_argument("--detach", action="store_true", help="do not wait for the run")
    parser.add_argument("--yes", action="store_true", help="do not ask before later checkpoints are removed")
    add_now(parser)
    add_journal_json(parser)
    parser.set_defaults(handler=continue_)


def continue_(options: argparse.Namespace) -> int:
    """Take a run up again and, unless detached, show it to its end."""
    name, _, which = options.reference.partition("@")
    run = find_run(name)
    plan = plan_continuation(run, which, options.epochs)
    for sentence in plan.passed_over:
        complain(sentence)
    if plan.lost and not options.yes and not _agreed_to_lose(plan):
        say(f"{run.id} stays as it is")
        return 1
    first = read_history(run)[0].length
    host = continue_run(plan, now=options.now, hold=can_be_asked(options))
    if options.detach:
        say_detached(run, as_json=options.json)
        return 0
    if not options.json:
        step = plan.checkpoint.step if plan.checkpoint else 0
        say(f"run: {run.id}")
        say(f"goes on after step {step:,}" if step else "starts at its beginning: it has no whole checkpoint")
    return show_to_its_end(run, host, as_json=options.json, first=first)


def _agreed_to_lose(plan: Continuation) -> bool:
    steps = ", ".join(f"{facts.step:,}" for facts in plan.lost)
    return agreed(
        f"The later checkpoints of {plan.run.id} (steps {steps}) are removed. Go on?",
        f"Later checkpoints (steps {steps}) are not removed without a question; add --yes, or leave them and start a "
        "run of its own with `cifartui train --from`.",
    )
