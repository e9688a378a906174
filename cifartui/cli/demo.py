"""`cifartui demo`: the whole path on the sketches, in plain text, under a minute."""

import argparse

from cifartui.cli.dataset import print_facts, require_dataset
from cifartui.cli.evaluation import evaluation_of, print_evaluation
from cifartui.cli.model import print_summary
from cifartui.cli.output import say, say_followed, watch
from cifartui.cli.parsing import Commands
from cifartui.cli.train import show_until_interrupted
from cifartui.dataset.store import SKETCHES
from cifartui.model.summary import summarize
from cifartui.training.launch import plan_run, start_run


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser("demo", help="the whole path on drawn pictures, under a minute")
    parser.set_defaults(handler=demo)


def demo(options: argparse.Namespace) -> int:
    """Go from pictures to a table of accuracies."""
    say("1 dataset: ten classes of small pictures, drawn by the program")
    facts = require_dataset(SKETCHES)
    print_facts(facts)

    config = plan_run(recipe="tutorial", dataset=SKETCHES)
    say()
    say("2 model: every operation and the arithmetic of its shape")
    print_summary(summarize(config.network), config.settings.batch_size)

    say()
    say("3 training: the tutorial's recipe in a process of its own")
    run, host = start_run(config)
    say(f"run: {run.id}")
    say_followed(config.dataset, config.followed)
    code = show_until_interrupted(run, host, as_json=False)
    if code:
        return code

    say()
    say("4 evaluation: the test images, which training never saw")
    print_evaluation(watch(evaluation_of(f"{run.id}@last", None, "tutorial")))
    say()
    say("Next: `cifartui` opens the screens; `cifartui dataset import PATH --name NAME` brings your own pictures.")
    return 0
