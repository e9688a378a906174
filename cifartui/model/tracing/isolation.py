"""A network of the user's own code, run once in a child process that cannot take this one with it; without torch."""

import msgspec

from cifartui.children import CODES, AnswerLimitError, Child, TimeLimitError
from cifartui.errors import CifartuiError, DataError
from cifartui.model.network import Network
from cifartui.model.shapes import Shape
from cifartui.model.tracing.trace import Trace
from cifartui.progress import LongWork, Progress
from cifartui.text import printable

SECONDS = 60.0
"""How long it may take. Importing torch takes some of them; a ResNet's forward pass is done in less than one."""
MAX_ANSWER = 32 * 1024**2
"""Bytes; a trace of 2,000 operations takes one of these megabytes."""


def trace_isolated(network: Network, input_shape: Shape | None = None, *, seconds: float = SECONDS) -> LongWork[Trace]:
    """Trace a network with a factory, for images of `input_shape` (its own input if not given), in a child process.

    Whatever the user's code does, it becomes a trace or a sentence within `seconds`, and no process of its is
    left, also when the generator is closed before its end. Yields the seconds passed.

    Raises:
        CifartuiError: there is no trace; the sentence says why.
    """
    with _start(network, input_shape or network.input, seconds) as child:
        try:
            for passed in child.looks():
                yield Progress(f"running {network.factory} once", round(passed), unit="s")
                answer = child.next_line()
                if answer is not None and not child.exit_code:
                    return _decoded(answer, network)
        except TimeLimitError as error:
            raise CifartuiError(
                f"{network.factory} took longer than {seconds:g} s and was stopped; "
                'if importing it starts a training, put that under `if __name__ == "__main__":`.'
            ) from error
        except AnswerLimitError as error:
            raise _not_the_answer(network) from error
        raise _failure(network, child)


def _start(network: Network, shape: Shape, seconds: float) -> Child:
    size = "x".join(map(str, shape))
    try:
        return Child(
            *("cifartui.model.tracing.child", network.factory, size),
            folder=network.folder or None,
            seconds=seconds,
            most_bytes=MAX_ANSWER,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise DataError(
            f"{network.factory} belongs to the folder {printable(network.folder)}, which cannot be entered any more; "
            "name it again in the folder where its code is now."
        ) from error


def _decoded(answer: bytes, network: Network) -> Trace:
    try:
        trace = msgspec.json.decode(answer, type=Trace)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _not_the_answer(network) from error
    return msgspec.structs.replace(trace, network=network)


def _not_the_answer(network: Network) -> CifartuiError:
    return CifartuiError(f"{network.factory} wrote over the answer about it; let it write to sys.stdout only.")


def _failure(network: Network, child: Child) -> CifartuiError:
    """The child's own sentence, or what its end says."""
    sentence, code = child.complaint(), child.exit_code or 0
    if code > 0 and sentence:
        return CODES.get(code, CifartuiError)(sentence)
    how = f"brought its process down ({child.ending})" if code < 0 else f"ended its process ({child.ending})"
    module = network.factory.partition(":")[0]
    return CifartuiError(f'{network.factory} {how} before it could be shown; try `python -c "import {module}"`.')
