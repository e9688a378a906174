"""The child process that traces code of the user's own; it is silent but for its answer, and limited."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import msgspec

from cifartui.errors import CifartuiError, explain
from cifartui.model.network import load_network
from cifartui.model.shapes import parse_shape
from cifartui.text import printable

MEMORY_BYTES = 4 * 1024**3
"""What the user's code may take beside torch."""
INTERRUPTED = 130


def main(factory: str, size: str) -> NoReturn:
    """Print the trace as a line of JSON and end the process at once: threads of the user's code would keep it.

    `factory` is `package.module:name`, looked for in the working directory first; `size` is that of the image, such
    as `3x32x32`. A failure is a sentence on stderr and an exit code of this program's.
    """
    sys.stdout.flush()
    answer, complaints = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # what the user's code prints, be it by C libraries, is no answer of ours
        os.dup2(nowhere, descriptor)
    code, text = _answer(factory, size)
    with open(complaints if code else answer, "wb") as stream:
        stream.write(text + b"\n")
    os._exit(code)


def _answer(factory: str, size: str) -> tuple[int, bytes]:
    """The exit code and the line that goes with it."""
    try:
        network, shape = load_network(factory), parse_shape(size)
        from cifartui.model.tracing.forward import trace_forward  # seconds, and what torch raises is told as well

        with _limited_memory():
            trace = trace_forward(network, shape)
        return 0, msgspec.json.encode(trace)
    except CifartuiError as error:
        return error.exit_code, _complaint(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED, _complaint("Interrupted.")
    except OSError as error:
        return explain(error).exit_code, _complaint(str(explain(error)))
    except MemoryError:
        return 1, _complaint(f"{factory} needed more memory than it may take.")
    except BaseException as error:
        return 1, _complaint(f"{factory} cannot be traced: {type(error).__name__}: {error}.")


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


if __name__ == "__main__":
    main(*sys.argv[1:])
