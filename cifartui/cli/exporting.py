"""`cifartui runs export`."""

import argparse
from pathlib import Path

from cifartui.cli.output import complain, say_written, watch
from cifartui.cli.parsing import Commands, add_run
from cifartui.training.exporting.event_file import event_file, write_event_file
from cifartui.training.exporting.table import write_table
from cifartui.training.run.folder import find_run
from cifartui.training.run.follow import read_history

TENSORBOARD_FOLDER = Path("tensorboard")


def add_commands(actions: Commands) -> None:
    """Add the command of this file to those of `runs`."""
    parser = actions.add_parser(
        "export",
        help="write every point of a run's curves as a table, or for TensorBoard",
        description="Write every point of a run's journal: loss, accuracy, learning rate, images a second, held-out.",
    )
    add_run(parser)
    formats = parser.add_mutually_exclusive_group(required=True)
    formats.add_argument("--csv", action="store_true", help="a table with units in its header (RUN.csv)")
    formats.add_argument(
        "--tensorboard", action="store_true", help=f"an event file in a folder ({TENSORBOARD_FOLDER}/RUN)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help="another file or folder, a pipe or a device")
    parser.set_defaults(handler=export)


def export(options: argparse.Namespace) -> None:
    """Write the points of one run."""
    run = find_run(options.run)
    if damaged := read_history(run)[0].damaged:
        complain(f"Run {run.id}: {damaged.sentence}.")
    if options.csv:
        target = options.output or Path(f"{run.id}.csv")
        points = watch(write_table(run, target))
        say_written(target, f"{target}: {points:,} points of {run.id}")
        return
    folder = options.output or TENSORBOARD_FOLDER / run.id
    points = watch(write_event_file(run, folder))
    target = event_file(run, folder)
    say_written(target, f"{target}: {points:,} points of {run.id}")
    say_written(target, f"look at it with: tensorboard --logdir {folder if options.output else folder.parent}")
