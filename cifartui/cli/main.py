"""The command line: which commands there are, and what an error looks like."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cifartui import __version__
from cifartui.failures import failure
from cifartui.text import printable

INTERRUPTED = 130


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    0 done, 1 failed, 2 wrong usage, 3 not found or damaged, 130 interrupted.
    """
    from cifartui.cli.output import complain

    options = make_parser().parse_args(arguments)
    try:
        code: int = options.handler(options) or 0
        return code
    except KeyboardInterrupt:
        complain("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        sentence = failure(error)
        complain(str(sentence))
        return sentence.exit_code


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and a sentence."""
        self.exit(2, f"cifartui: {printable(message)}; see `{self.prog} --help`.\n")


def make_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    from cifartui.cli import bench, dataset, demo, doctor, evaluation, lr_find, model, recipes, runs, train

    parser = Parser(
        prog="cifartui",
        description="Train an image classifier on CIFAR-10 in a terminal. Without a command: the screens.",
    )
    parser.add_argument("--version", action="version", version=f"cifartui {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for module in (demo, doctor, dataset, model, recipes, lr_find, train, runs, evaluation, bench):
        module.add_commands(commands)
    return parser
