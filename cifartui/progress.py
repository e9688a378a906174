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
    per_second: float | None = None
    """Units a second, where the work measures it."""

    @property
    def amount(self) -> str:
        """What is done of what, and how fast, in words: `12.3 of 170.5 MB · 4.1 MB/s`."""
        if self.unit == "bytes":
            of_total = f" of {self.total / 1e6:,.1f}" if self.total else ""
            rate = "" if self.per_second is None else f" · {self.per_second / 1e6:,.2f} MB/s"
            return f"{self.done / 1e6:,.1f}{of_total} MB{rate}"
        of_total = f" of {self.total:,}" if self.total else ""
        return f"{self.done:,}{of_total} {self.unit}"


LongWork = Generator[Progress, None, Result]
"""Long work: yields `Progress`, returns its result."""


def finish(work: LongWork[Result]) -> Result:
    """Run long work to its end without showing its progress."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
