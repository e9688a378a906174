"""`cifartui model record`: code of the user's own, run once in this process, which is silent and limited."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import msgspec

from cifartui.cli.parsing import Commands, add_json
from cifartui.errors import CifartuiError, explain
from cifartui.model.network import load_network
from cifartui.model.shapes import parse_shape
from cifartui.text import printable

MEMORY_BYTES = 4 * 1024**3
"""What the user's code may take beside torch."""
INTERRUPTED = 130


def add_command(actions: Commands) -> None:
    """Add the command of this file to those of `model`; it is not listed, as `model show` is the one for people."""
    parser = actions.add_parser(
        "record",
        description="Run a network once on one image and print its operations as a line of JSON. "
        "Other commands run this one to look at code of your own, which they do not import.",
    )
    parser.add_argument("network", metavar="package.module:name")
    parser.add_argument("--input", metavar="3x32x32", help="channels x height x width of an image")
    add_json(parser, "print JSON on stdout, as it does without")
    parser.set_defaults(handler=record_)


def record_(options: argparse.Namespace) -> NoReturn:
    """Print the recording and end the process at once: threads of the user's code would keep it."""
    sys.stdout.flush()
    answer, complaints = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # what the user's code prints, be it by C libraries, is no answer of ours
        os.dup2(nowhere, descriptor)
    code, text = _answer(options)
    with open(complaints if code else answer, "wb") as stream:
        stream.write(text + b"\n")
    os._exit(code)


def _answer(options: argparse.Namespace) -> tuple[int, bytes]:
    """The exit code and the line that goes with it."""
    try:
        network = load_network(options.network)
        shape = parse_shape(options.input) if options.input else network.input
        from cifartui.model.recording.record import record

        with _limited_memory():
            recording = record(network, shape)
        return 0, msgspec.json.encode(recording)
    except CifartuiError as error:
        return error.exit_code, _complaint(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED, _complaint("Interrupted.")
    except OSError as error:
        return explain(error).exit_code, _complaint(str(explain(error)))
    except MemoryError:
        return 1, _complaint(f"{options.network} needed more memory than it may take.")
    except BaseException as error:
        return 1, _complaint(f"{options.network} cannot be recorded: {type(error).__name__}: {error}.")


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Let this process take no more than `MEMORY_BYTES` beside what it has; Linux only."""
    import resource

    try:
        limit = _data_bytes() + MEMORY_BYTES
        before = resource.getrlimit(resource.RLIMIT_DATA)
        if before[0] != resource.RLIM_INFINITY:
            limit = min(limit, before[0])
        resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    except (OSError, ValueError):
        yield
        return
    try:
        yield
    finally:  # so that there is room to say that there was none
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int:
    """What this process has of the memory that RLIMIT_DATA counts: all that it can write to and shares with nobody."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))


def _complaint(sentence: str) -> bytes:
    return f"cifartui: {printable(sentence, 10_000)}".encode()
