"""What is said of a run's device: its name, why it was chosen, and what its sensors tell."""

from typing import NamedTuple

from textual.content import Content

from cifartui.machine.readings import GpuReadings, HostReadings, Reading, Sample
from cifartui.text import bar, printable, size
from cifartui.training.run.events import RunStarted

NAME_CELLS, AMOUNT_CELLS = 9, 17
MOST_BAR_CELLS = 16


class Row(NamedTuple):
    """A reading in words."""

    name: str
    reading: Reading
    amount: str
    """Empty where there is none."""


def device_text(started: RunStarted, sample: Sample | None, own_memory: int | None, columns: int) -> Content:
    """The device of a living run: a line with a bar for each reading in so many columns; with 0, in two or three lines.

    `own_memory` is what the run's tensors take on an accelerator, in bytes.
    """
    parts = [Content.styled(printable(f"{started.device}: {started.device_reason}"), "$text-muted")]
    if sample is not None:
        rows = _rows(sample)
        process = _process(sample.host)
        known = [row for row in rows if row.amount]
        if columns:
            cells = min(max(columns - NAME_CELLS - AMOUNT_CELLS, 3), MOST_BAR_CELLS)
            parts += [_with_bar(row, cells) for row in known]
            if own_memory is not None:
                parts.append(Content(f"{'tensors':<{NAME_CELLS}}{size(own_memory)} of its memory"))
            parts.append(Content(f"{'process':<{NAME_CELLS}}{process}"))
        else:
            short = [row for row in known if row.name != "clock"]
            words = " · ".join(f"{row.name} {row.amount}" if row.name == "load" else row.amount for row in short)
            parts += [Content(text) for text in (words, f"process {process}") if text]
        parts += [Content.styled(text, "$text-muted") for text in _not_known(rows)]
    return Content("\n").join(parts)


def _rows(sample: Sample) -> list[Row]:
    device = sample.device
    rows = [
        Row("load", device.load, _amount(device.load, "%", 100)),
        Row("memory", device.memory, _bytes(device.memory)),
        Row("clock", device.clock, _amount(device.clock, "GHz", 1e-3, digits=2)),
    ]
    heat = Row("heat", device.temperature, _amount(device.temperature, "°C").replace(" ", ""))
    if isinstance(device, GpuReadings):
        rows += [heat, Row("power", device.power, _amount(device.power, "W"))]
    elif heat.amount:  # few machines tell it of their processor
        rows.append(heat)
    return rows


def _amount(reading: Reading, unit: str, factor: float = 1, *, digits: int = 0) -> str:
    """`83 %`, `310 of 700 W`."""
    if reading.value is None:
        return ""
    most = f" of {reading.most * factor:,.{digits}f}" if reading.most and unit != "%" else ""
    return f"{reading.value * factor:,.{digits}f}{most} {unit}"


def _bytes(reading: Reading) -> str:
    """`2.1 of 79.6 GB`."""
    if reading.value is None:
        return ""
    used = size(round(reading.value))
    if not reading.most:
        return used
    most = size(round(reading.most))
    return f"{used.partition(' ')[0] if used.split()[1] == most.split()[1] else used} of {most}"


def _with_bar(row: Row, cells: int) -> Content:
    reading = row.reading
    if reading.value is None or not reading.most:
        return Content(f"{row.name:<{NAME_CELLS}}{row.amount}")
    filled = bar(reading.value / reading.most, cells).replace(" ", "░")
    return Content.assemble(f"{row.name:<{NAME_CELLS}}", (filled, "$primary"), f" {row.amount}")


def _process(host: HostReadings) -> str:
    """What the run's process takes: `1.0 cores · 600 MB`."""
    if host.cores.value is None or host.memory.value is None:
        return f"n/a: {host.cores.why_not}"
    return f"{host.cores.value:.1f} cores · {size(round(host.memory.value))}"


def _not_known(rows: list[Row]) -> list[str]:
    """A line for each reason, with the readings that are not known for it."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        if not row.amount:
            by_reason.setdefault(row.reading.why_not, []).append(row.name)
    return [f"{', '.join(names)} n/a: {reason}" for reason, names in by_reason.items()]
