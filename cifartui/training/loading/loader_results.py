"""What the loader lab finds out, as values that need no torch."""

from typing import Literal

import msgspec

Kind = Literal["resident", "dataloader"]


class Measured(msgspec.Struct, frozen=True, tag=True):
    """What one way of loading brought."""

    kind: Kind
    num_workers: int
    """0 when resident."""
    batch_size: int
    images_per_second: float
    """Median of the repetitions; 0 when it could not be measured."""
    spread: tuple[float, float]
    """Least and most images per second of the repetitions."""
    note: str = ""
    """Why it could not be measured."""


class Verdict(msgspec.Struct, frozen=True, tag=True):
    """The fastest way of loading at one batch size."""

    kind: Kind
    num_workers: int
    batch_size: int
    sentence: str


def workers_in_words(measured: Measured) -> str:
    """`1 worker`, `2 workers`."""
    return f"{measured.num_workers} worker{'s' * (measured.num_workers != 1)}"


def way_of_loading(measured: Measured) -> str:
    """`resident`, or `DataLoader, 2 workers`."""
    return "resident" if measured.kind == "resident" else f"DataLoader, {workers_in_words(measured)}"
