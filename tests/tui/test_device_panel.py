"""The device of a run on the training screen: bars or two lines, n/a with its reason, read only while it is seen."""

import os
import time

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.machine.readings import CpuReadings, GpuReadings, HostReadings, Reading, Sample, nothing_known, unknown
from cifartui.machine.sensors import Sensors
from cifartui.training.run.events import RunFinished
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets import device_panel
from cifartui.tui.widgets.device_texts import device_text
from tests.training.running import run_started
from tests.tui.driving import LARGE, SMALL, scripted_run, text_of, wait_for_text, wait_until

HOST = HostReadings(Reading(1.02), Reading(6e8))
CPU = Sample(
    CpuReadings(Reading(0.834, 1.0), Reading(2.1e9, 25.3e9), Reading(2600.0, 3400.0), unknown("not told")), HOST
)
GPU = Sample(
    GpuReadings(
        load=Reading(0.83, 1.0),
        memory=Reading(2.1e9, 79.6e9),
        temperature=Reading(54.0),
        power=Reading(310.0, 700.0),
        clock=Reading(1755.0, 1980.0),
    ),
    HOST,
)


def lines(sample: Sample, columns: int, own: int | None = None) -> list[str]:
    """What is said below name and reason."""
    return device_text(run_started(50), sample, own, columns).plain.splitlines()[1:]


def test_readings_have_bars_where_there_is_room() -> None:
    """As long as their share of the most, which is named; a temperature has none."""
    assert lines(GPU, 36, own=4 * 10**8) == [
        "load     ████████▎░ 83 %",
        "memory   ▎░░░░░░░░░ 2.1 of 79.6 GB",
        "clock    ████████▉░ 1.76 of 1.98 GHz",
        "heat     54°C",
        "power    ████▍░░░░░ 310 of 700 W",
        "tensors  400 MB of its memory",
        "process  1.0 cores · 600 MB",
    ]
    assert max(map(len, lines(GPU, 36))) <= 36
    assert [line.split()[0] for line in lines(CPU, 37)] == ["load", "memory", "clock", "process"]


def test_two_lines_are_enough_on_small_terminals() -> None:
    """Load and memory, heat and power of a GPU, and the process."""
    assert lines(CPU, 0) == ["load 83 % · 2.1 of 25.3 GB", "process 1.0 cores · 600 MB"]
    assert lines(GPU, 0)[0] == "load 83 % · 2.1 of 79.6 GB · 54°C · 310 of 700 W"


def test_what_is_not_known_is_told_with_its_reason_and_never_as_0() -> None:
    """One line for each reason, also when nothing is known at all."""
    split = GpuReadings(
        load=unknown("NVML cannot tell it of an instance (MIG)"),
        memory=Reading(0.0, 1e10),
        temperature=Reading(54.0),
        power=unknown("this GPU does not tell it"),
        clock=unknown("this GPU does not tell it"),
    )
    for columns in (0, 48):
        text = lines(Sample(split, HOST), columns)
        assert text[-2:] == [
            "load n/a: NVML cannot tell it of an instance (MIG)",
            "clock, power n/a: this GPU does not tell it",
        ]
        assert "0 %" not in "\n".join(text)
        lost = device_text(run_started(50), Sample(nothing_known("the GPU is lost"), HOST), None, columns).plain
        assert "load, memory, clock, heat, power n/a: the GPU is lost" in lost
        assert "0" not in lost.splitlines()[-1]


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_sensors_are_read_while_the_run_lives_and_is_seen(
    sketches: DatasetFacts, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For real, here of the tests' own process; not on other screens, and no more once the run has ended."""
    monkeypatch.setattr(device_panel, "PERIOD_SECONDS", 0.05)
    reads: list[float] = []
    read = Sensors.read

    def counted(self: Sensors) -> Sample:
        reads.append(time.monotonic())
        return read(self)

    monkeypatch.setattr(Sensors, "read", counted)
    run, journal = scripted_run(sketches.name, device_type="cpu", host_pid=os.getpid())
    with run.lock():
        async with CifarApp().run_test(size=size) as pilot:
            await wait_for_text(pilot, "● running")
            if size == SMALL:
                assert not reads
                await pilot.press("tab", "tab", "tab")
            await wait_for_text(pilot, "load")
            assert "process" in text_of(pilot, "#device")
            assert ("█" in text_of(pilot, "#device") or "░" in text_of(pilot, "#device")) == (size == LARGE)
            await pilot.press("2")
            await wait_for_text(pilot, "conv1")
            seen = len(reads)
            await wait_until(pilot, lambda: time.monotonic() > reads[-1] + 0.3)
            assert len(reads) <= seen + 1
            await pilot.press("3")
            await wait_until(pilot, lambda: len(reads) > seen + 2)
            journal.append(RunFinished(reason="finished"))
            await wait_for_text(pilot, "✓ finished")
            await wait_until(pilot, lambda: "load" not in text_of(pilot, "#device"))
            assert text_of(pilot, "#device") == "A Scripted CPU, 2 cores (cpu)"
            assert not [worker for worker in pilot.app.workers if worker.group == "sensors" and worker.is_running]


async def test_sensors_that_fail_concern_nobody_else(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why is said in their place; the run is followed as before."""
    monkeypatch.setattr(device_panel, "PERIOD_SECONDS", 0.05)

    def fail(self: Sensors) -> Sample:
        raise PermissionError(13, "Permission denied", "/proc/stat")

    monkeypatch.setattr(Sensors, "read", fail)
    run, journal = scripted_run(sketches.name, device_type="cpu")
    with run.lock():
        async with CifarApp().run_test(size=LARGE) as pilot:
            await wait_until(pilot, lambda: "n/a: /proc/stat: permission denied" in text_of(pilot, "#device"))
            journal.append(RunFinished(reason="finished"))
            await wait_for_text(pilot, "✓ finished")
