"""Options that several commands share."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_json(
    parser: argparse.ArgumentParser, summary: str = "print JSON on stdout, and progress as JSON on stderr"
) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help=summary)


def add_journal_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a command that follows a run."""
    add_json(parser, "print the lines of the run's journal, one JSON object each, and nothing else")


def add_assignments(parser: argparse.ArgumentParser) -> None:
    """Add `--set`, which changes settings of a recipe."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="change a setting of the recipe",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run's place among the arguments."""
    parser.add_argument("run", metavar="RUN", help="its id, or a part of it that no other run has")


def group(commands: Commands, name: str, summary: str) -> Commands:
    """A command that has commands of its own."""
    parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=type(parser))


def positive_int(text: str) -> int:
    """A whole number from 1 on, for `type=`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
