"""`cifartui evaluate` and `cifartui export`."""

import argparse
import contextlib
import sys
from pathlib import Path

from cifartui.cli.dataset import require_dataset
from cifartui.cli.output import complain, make_console, print_json, say, say_written, table, watch
from cifartui.cli.parsing import Commands, add_json, group
from cifartui.dataset.store import load_facts
from cifartui.errors import explain
from cifartui.evaluation.export import FORMATS, export
from cifartui.evaluation.results import Evaluation, most_confused, weights_file_name
from cifartui.evaluation.store import keep_evaluation
from cifartui.progress import LongWork, Progress
from cifartui.text import bar
from cifartui.training.run.checkpoints import find_checkpoint
from cifartui.training.run.folder import find_run

SUBJECT = "RUN[@best|@last|@STEP], or a .pth or .safetensors file of weights"
BAR_CELLS = 20


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    evaluating = commands.add_parser("evaluate", help="judge a checkpoint on the test images")
    evaluating.add_argument("subject", metavar="RUN|FILE", help=SUBJECT)
    evaluating.add_argument("--dataset", metavar="NAME", help="the data set it was trained on, if not given")
    evaluating.add_argument(
        "--recipe", default="tutorial", metavar="NAME|FILE", help="network and normalisation of a FILE (tutorial)"
    )
    add_json(evaluating)
    evaluating.set_defaults(handler=evaluate_)

    actions = group(commands, "export", "take a trained network elsewhere")
    for file_format in FORMATS:
        parser = actions.add_parser(file_format.name, help=file_format.summary)
        parser.add_argument("subject", metavar="RUN", help=SUBJECT)
        default = Path(file_format.file)
        parser.add_argument("-o", "--output", type=Path, default=default, metavar="FILE", help=f"({default})")
        parser.set_defaults(handler=export_, file_format=file_format)


def evaluate_(options: argparse.Namespace) -> None:
    """Evaluate a checkpoint or file and print accuracy and classes."""
    if options.dataset:
        require_dataset(options.dataset, as_json=options.json)
    with contextlib.redirect_stdout(sys.stderr):  # what a network of the user's own prints is no result of ours
        evaluation = watch(evaluation_of(options.subject, options.dataset, options.recipe), as_json=options.json)
    if options.json:
        print_json(evaluation)
        return
    print_evaluation(evaluation)
    from cifartui.evaluation.subject import names_file

    if not names_file(options.subject):
        say(f"next: cifartui export pth {evaluation.checkpoint} -o {weights_file_name(evaluation.dataset)}")


def evaluation_of(subject_reference: str, dataset: str | None, recipe: str) -> LongWork[Evaluation]:
    """Load what is to be judged and judge it; yields progress from the first moment. A checkpoint's result is kept."""
    yield Progress("loading torch", 0)
    from cifartui.evaluation.evaluate import evaluate
    from cifartui.evaluation.subject import dataset_of, load_subject, names_file

    if names_file(subject_reference):
        subject = load_subject(subject_reference, recipe, dataset)
        return (yield from evaluate(subject, dataset_of(subject, dataset)))
    run_reference, _, which = subject_reference.partition("@")
    run = find_run(run_reference)
    checkpoint = find_checkpoint(run, which or "last")
    subject = load_subject(f"{run.id}@{checkpoint.step}")
    evaluation = yield from evaluate(subject, dataset_of(subject, dataset))
    try:
        keep_evaluation(run, checkpoint, load_facts(evaluation.dataset).sha256, evaluation)
    except OSError as error:
        complain(f"The result is not kept: {explain(error)}")
    return evaluation


def export_(options: argparse.Namespace) -> None:
    """Write a trained network in a format."""
    from cifartui.evaluation.subject import load_subject

    subject, file_format = load_subject(options.subject), options.file_format
    written = export(subject, file_format, options.output)
    say_written(options.output, f"{options.output}: {file_format.what} of {subject.title}, {written:,} bytes")
    say_written(options.output, file_format.usage(subject.network, str(options.output)))


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the accuracy with its interval and a row with a bar per class."""
    low, high = evaluation.interval95
    which = " (average of the weights)" if evaluation.averaged else ""
    say(
        f"Accuracy of {evaluation.checkpoint}{which} on the {evaluation.images:,} test images of {evaluation.dataset}: "
        f"{evaluation.accuracy:.1%} ({evaluation.correct:,} correct; 95 %: {low:.1%} to {high:.1%})"
    )
    rows = table("class", "", "accuracy", "correct", "most often taken for", right=("accuracy", "correct"))
    for index, result in enumerate(evaluation.per_class):
        confused = most_confused(evaluation, index)
        rows.add_row(
            result.name,
            bar(result.accuracy, BAR_CELLS),
            f"{result.accuracy:.1%}",
            f"{result.correct:,} of {result.images:,}",
            f"{evaluation.per_class[confused[0]].name} ({confused[1]:.0%})" if confused else "",
        )
    make_console().print(rows)
