"""What sensors tell: numbers, or why there is none."""

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """What one sensor tells."""

    value: float | None = None
    """None where it cannot be known: never 0 in its place."""
    most: float | None = None
    """The most that it can be, where that is known."""
    why_not: str = ""
    """Why there is no value, as a clause."""


class GpuReadings(msgspec.Struct, frozen=True):
    """What a GPU's sensors tell."""

    load: Reading
    """Share of the time in which something ran on it, 0 to 1."""
    memory: Reading
    """Bytes in use, by whomever."""
    temperature: Reading
    """°C."""
    power: Reading
    """W."""
    clock: Reading
    """MHz."""


class CpuReadings(msgspec.Struct, frozen=True):
    """What the computer's sensors tell."""

    load: Reading
    """Of all cores, 0 to 1."""
    memory: Reading
    """Bytes in use, by whomever."""
    clock: Reading
    """MHz."""
    temperature: Reading
    """°C."""


class HostReadings(msgspec.Struct, frozen=True):
    """What the process that carries a run takes, with its workers."""

    cores: Reading
    """How many it keeps busy."""
    memory: Reading
    """Bytes."""


class Sample(msgspec.Struct, frozen=True):
    """What the sensors told at one moment."""

    device: CpuReadings | GpuReadings
    host: HostReadings


class Watched(msgspec.Struct, frozen=True):
    """A run whose device and process are looked at."""

    run: str
    device_type: str
    """`cpu`, `cuda` or `mps`."""
    device_uuid: str
    """Of an NVIDIA GPU; else empty."""
    host_pid: int


def unknown(why_not: str) -> Reading:
    """No value, and why."""
    return Reading(None, None, why_not)


def nothing_known(why_not: str) -> GpuReadings:
    """Every reading unknown, for the same reason."""
    return GpuReadings(*[unknown(why_not)] * len(GpuReadings.__struct_fields__))
