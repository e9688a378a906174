"""`cifartui doctor`."""

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from cifartui.cli.output import print_json, say
from cifartui.cli.parsing import Commands, add_json
from cifartui.machine.finding import MARKS, NOTHING, Finding
from cifartui.progress import Progress
from cifartui.text import printable

if TYPE_CHECKING:
    from cifartui.machine.diagnosis import Diagnosis

CLEAR_LINE = "\r\x1b[K"


def add_commands(commands: Commands) -> None:
    """Add the command of this file."""
    parser = commands.add_parser(
        "doctor",
        help="say what this machine can do, and what is in the way",
        description="Look at processor, memory, disk, terminal, GPUs and their drivers, PyTorch and the sources of the "
        "data sets; take two steps of training on each device. Each finding comes with its cause and what to do.",
    )
    add_json(parser)
    parser.set_defaults(handler=doctor)


def doctor(options: argparse.Namespace) -> None:
    """Diagnose this machine."""
    diagnosis = _watch(as_json=options.json)
    if options.json:
        print_json(diagnosis)
        return
    say(f"training runs on: {diagnosis.name} ({diagnosis.device}): {diagnosis.reason}")


def _watch(*, as_json: bool) -> "Diagnosis":
    """Run the diagnosis to its end; findings are printed as they come, what is being looked at stands below them."""
    from cifartui.machine.diagnosis import diagnose  # httpx and psutil, which other commands can do without

    shows_line, activity = sys.stderr.isatty() and not as_json, ""
    work = diagnose()
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                diagnosis: Diagnosis = end.value
                return diagnosis
            if isinstance(step, Progress):
                if step.activity != activity:
                    activity = step.activity
                    _show_activity(step, as_json=as_json, on_line=shows_line)
            elif not as_json:
                _clear(shows_line)
                _print(step)
                activity = ""
    finally:
        work.close()
        _clear(shows_line)


def _show_activity(step: Progress, *, as_json: bool, on_line: bool) -> None:
    if as_json:
        print(msgspec.json.encode(step).decode(), file=sys.stderr, flush=True)
    elif on_line:
        print(f"{CLEAR_LINE}{printable(step.activity, 70)} …", end="", file=sys.stderr, flush=True)


def _clear(shows_line: bool) -> None:
    if shows_line:
        print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _print(finding: Finding) -> None:
    say(f"{MARKS[finding.state]} {finding.subject}: {finding.finding}")
    if finding.cause:
        say(f"    why: {finding.cause}")
    if finding.remedy not in ("", NOTHING):
        say(f"    do:  {finding.remedy}")
