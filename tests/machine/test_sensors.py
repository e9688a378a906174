"""The sensors of a run: NVML faked below nvidia-ml-py, the CPU and the host's process for real."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from cifartui.machine import sensors
from cifartui.machine.readings import CpuReadings, GpuReadings, Reading, Watched
from cifartui.machine.sensors import Sensors
from tests.machine.fake_nvml import LOST, NOT_FOUND, NOT_SUPPORTED, UNKNOWN, UUID, Fails, FakeNvml, install

RUN = "20261124-1200-tutorial-abc"
BUSY = "while True: pass"
BUSY_WITH_WORKER = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{BUSY}']).wait()"


def gpu(uuid: str = UUID) -> Sensors:
    return Sensors(Watched(RUN, "cuda", uuid, 1))


def readings(sensed: Sensors) -> GpuReadings:
    device = sensed.read().device
    assert isinstance(device, GpuReadings)
    return device


def all_of(device: GpuReadings) -> list[Reading]:
    return [device.load, device.memory, device.temperature, device.power, device.clock]


def test_healthy_gpu_tells_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the units that are promised; NVML is opened once, not at each reading."""
    fake = install(monkeypatch)
    sensed = gpu()
    assert readings(sensed) == GpuReadings(
        load=Reading(0.83, 1.0),
        memory=Reading(2.0 * 2**30, 80.0 * 2**30),
        temperature=Reading(54.0),
        power=Reading(310.0, 700.0),
        clock=Reading(1755.0, 1980.0),
    )
    readings(sensed)
    assert fake.asked.count("nvmlInitWithFlags") == 1


def test_reading_that_is_not_supported_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not 0; the others are told."""
    install(
        monkeypatch,
        nvmlDeviceGetUtilizationRates=Fails(NOT_SUPPORTED),
        nvmlDeviceGetEnforcedPowerLimit=Fails(NOT_SUPPORTED),
    )
    device = readings(gpu())
    assert device.load == Reading(None, None, "this GPU does not tell it")
    assert device.power == Reading(310.0, None)
    assert device.temperature.value == 54


def test_instance_has_its_memory_but_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's name is that of the instance, which NVML knows under another prefix."""

    def by_uuid(uuid: object, *_: object) -> object:
        return None if b"MIG-" in getattr(uuid, "value", b"") else Fails(NOT_FOUND)

    install(monkeypatch, nvmlDeviceGetHandleByUUID=by_uuid, nvmlDeviceGetDeviceHandleFromMigDeviceHandle=None)
    device = readings(gpu("MIG-11111111-2222-3333-4444-555555555555"))
    assert device.load.value is None
    assert "MIG" in device.load.why_not
    assert device.memory.most == 80 * 2**30


def test_gpu_of_another_machine_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's folder may lie on a shared disk."""
    install(monkeypatch, nvmlDeviceGetHandleByUUID=Fails(NOT_FOUND))
    assert "knows no GPU of the run's name" in readings(gpu()).load.why_not


@pytest.mark.parametrize("code", [LOST, UNKNOWN])
def test_nvml_that_is_lost_is_asked_again_later(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Why is said, nothing is asked for a while, and it is opened anew once it is back."""
    fake = install(monkeypatch)
    sensed = gpu()
    assert readings(sensed).load.value == 0.83
    fake.answers["nvmlDeviceGetTemperature"] = Fails(code)
    lost = readings(sensed)
    assert {reading.value for reading in all_of(lost)} == {None}
    assert all("asked again every 15 s" in reading.why_not for reading in all_of(lost))
    asked = len(fake.asked)
    assert readings(sensed) == lost
    assert len(fake.asked) == asked
    fake.answers["nvmlDeviceGetTemperature"] = 60
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + sensors.RETRY_SECONDS + 1)
    assert readings(sensed).temperature == Reading(60.0)
    assert (fake.asked.count("nvmlInitWithFlags"), fake.asked.count("nvmlShutdown")) == (2, 1)


def test_nvml_that_holds_whoever_asks_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread is left to it, however often the sensors are read; when it answers, they are told again."""
    release = threading.Event()

    def hold(*_: object) -> object:
        release.wait(60)
        return {"gpu": 7, "memory": 0}

    fake: FakeNvml = install(monkeypatch, nvmlDeviceGetUtilizationRates=hold)
    monkeypatch.setattr(sensors, "ANSWER_SECONDS", 0.05)
    sensed = gpu()
    for _ in range(3):
        assert {reading.why_not for reading in all_of(readings(sensed))} == {"NVML does not answer"}
    assert fake.asked.count("nvmlDeviceGetUtilizationRates") == 1
    release.set()
    deadline = time.monotonic() + 10
    while readings(sensed).load.value is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert readings(sensed).load == Reading(0.07, 1.0)


@pytest.mark.parametrize(("kind", "why"), [("mps", "macOS"), ("cuda", "AMD"), ("", "journal")])
def test_devices_without_sensors_say_so(kind: str, why: str) -> None:
    """Apple's and AMD's GPUs, and devices of older journals."""
    assert all(why in reading.why_not for reading in all_of(readings(Sensors(Watched(RUN, kind, "", 1)))))


@pytest.fixture(params=[BUSY, BUSY_WITH_WORKER], ids=["itself", "its worker"])
def host(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a run's name that keeps a core busy, by itself or by a worker."""
    process = subprocess.Popen([sys.executable, "-c", request.param, f"/runs/{RUN}"], start_new_session=True)
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_computer_and_host_are_told(host: "subprocess.Popen[bytes]") -> None:
    """Load and memory of the computer, and how much of it is the run's."""
    time.sleep(0.1)  # for the worker to be there
    sensed = Sensors(Watched(RUN, "cpu", "", host.pid))
    time.sleep(0.3)
    sample = sensed.read()
    assert isinstance(sample.device, CpuReadings)
    assert sample.device.load.value is not None
    assert 0 < sample.device.load.value <= 1
    assert sample.device.memory.value is not None
    assert sample.device.memory.most is not None
    assert 0 < sample.device.memory.value < sample.device.memory.most
    assert sample.host.cores.value is not None
    assert 0.05 < sample.host.cores.value < 1.5
    assert sample.host.memory.value is not None
    assert sample.host.memory.value > 2**20


def test_number_of_another_program_is_not_the_host() -> None:
    """A process that has the host's number, on another machine or after its end, is not taken for it."""
    host = Sensors(Watched("another run", "cpu", "", 1)).read().host
    assert host.cores.value is None
    assert "not on this machine" in host.cores.why_not
