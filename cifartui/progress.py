"""How far a piece of long work has come: the value that its generator yields."""

from collections.abc import Generator
from typing import TypeVar

import msgspec

Result = TypeVar("Result")


class Progress(msgspec.Struct, frozen=True, tag=True):
    """One report of long work; front ends draw it."""

    activity: str
    """What is being done, as a participle: "reading images"."""
    done: int
    total: int | None = None
    """None while it is not known."""
    unit: str = "images"


Steps = Generator[Progress, None, Result]
"""Long work: yields `Progress`, returns its result."""


def finish(work: Steps[Result]) -> Result:
    """Run long work to its end without showing its progress."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
