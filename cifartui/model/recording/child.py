"""A network of the user's own code, run once in a child process that cannot take this one with it; without torch."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import msgspec

from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.model.network import Network
from cifartui.model.recording.recorded import Recording
from cifartui.model.shapes import Shape
from cifartui.progress import LongWork, Progress
from cifartui.text import printable

SECONDS = 60.0
"""How long it may take. Importing torch takes some of them; a ResNet's forward pass is done in less than one."""
MAX_ANSWER = 32 * 1024**2
"""Bytes; a recording of 2,000 operations takes one of these megabytes."""
MAX_COMPLAINTS = 8_192
"""Bytes of the last complaints that are kept."""
READ_BYTES = 1024**2
"""As many as a pipe can hold, so that one look empties it."""
LOOK_SECONDS = 0.1
COMPLAINT = "cifartui: "


def recorded(network: Network, input_shape: Shape | None = None, *, seconds: float = SECONDS) -> LongWork[Recording]:
    """Record a network with a factory, for images of `input_shape` (its own input if not given), in a child process.

    Whatever the user's code does, it becomes a recording or a sentence within `seconds`, and no process of its is
    left, also when the generator is closed before its end. Yields the seconds passed.

    Raises:
        CifartuiError: there is no recording; the sentence says why.
    """
    child = _start(network, input_shape or network.input)
    try:
        heard = yield from _listen(child, f"running {network.factory} once", seconds)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
            os.killpg(child.pid, signal.SIGKILL)
        for pipe in (child.stdout, child.stderr):
            assert pipe
            pipe.close()
        code = child.wait()
    if heard.answer:
        return _decoded(heard.answer, network)
    if not heard.has_ended:
        raise CifartuiError(
            f"{network.factory} took longer than {seconds:g} s and was stopped; "
            'if importing it starts a training, put that under `if __name__ == "__main__":`.'
        )
    raise _failure(network, code, heard.complaints.decode(errors="replace"))


class _Heard(NamedTuple):
    answer: bytes
    """The line of its answer; empty if there was none."""
    complaints: bytes
    """The end of what stood on stderr."""
    has_ended: bool
    """Whether it has ended by itself."""


def _start(network: Network, shape: Shape) -> "subprocess.Popen[bytes]":
    arguments = ["model", "record", network.factory, "--input", "x".join(map(str, shape)), "--json"]
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "cifartui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=network.folder or None,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise DataError(
            f"{network.factory} belongs to the folder {printable(network.folder)}, which cannot be entered any more; "
            "name it again in the folder where its code is now."
        ) from error


def _listen(child: "subprocess.Popen[bytes]", activity: str, seconds: float) -> LongWork[_Heard]:
    """Wait for a child's first line or its end, for so many seconds.

    The ends of its pipes are not waited for: processes that it started may hold them open.
    """
    answer, complaints, started = b"", b"", time.monotonic()
    with selectors.DefaultSelector() as selector:
        for pipe in (child.stdout, child.stderr):
            assert pipe
            selector.register(pipe.fileno(), selectors.EVENT_READ, pipe is child.stdout)
        while (passed := time.monotonic() - started) < seconds:
            yield Progress(activity, round(passed), unit="s")
            has_ended = child.poll() is not None
            if not has_ended and not selector.get_map():
                time.sleep(LOOK_SECONDS)  # it has closed its pipes and goes on
            for key, _ in selector.select(0 if has_ended else LOOK_SECONDS):
                chunk = os.read(key.fd, READ_BYTES)
                if not chunk:
                    selector.unregister(key.fd)
                elif key.data:
                    answer += chunk
                else:
                    complaints = (complaints + chunk)[-MAX_COMPLAINTS:]
            line, newline, _ = answer.partition(b"\n")
            if newline or has_ended or len(line) > MAX_ANSWER:
                return _Heard(line, complaints, has_ended)
    return _Heard(b"", complaints, has_ended=False)


def _decoded(answer: bytes, network: Network) -> Recording:
    try:
        recording = msgspec.json.decode(answer, type=Recording)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CifartuiError(
            f"{network.factory} wrote over the answer about it; let it write to sys.stdout only."
        ) from error
    return msgspec.structs.replace(recording, network=network)


def _failure(network: Network, code: int, complaints: str) -> CifartuiError:
    """The child's own sentence, or what its end says."""
    sentences = [line for line in complaints.splitlines() if line.startswith(COMPLAINT)]
    if code > 0 and sentences:
        kinds: dict[int, type[CifartuiError]] = {2: UsageError, 3: DataError}
        return kinds.get(code, CifartuiError)(printable(sentences[-1].removeprefix(COMPLAINT)))
    if code < 0:
        how = f"brought its process down ({signal.Signals(-code).name}, perhaps for lack of memory)"
    else:
        how = f"ended its process (exit code {code})"
    module = network.factory.partition(":")[0]
    return CifartuiError(f'{network.factory} {how} before it could be shown; try `python -c "import {module}"`.')
