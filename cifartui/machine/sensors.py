"""The sensors of a run: what its device and the process that carries it do now; read it in a thread, once a second."""

import threading
import time
from pathlib import Path

import psutil

from cifartui.machine.nvml import Handle, NvmlUnavailableError, find_gpu, load_nvml, read_gpu, shut_down, troubles
from cifartui.machine.readings import (
    CpuReadings,
    GpuReadings,
    HostReadings,
    Reading,
    Sample,
    Watched,
    nothing_known,
    unknown,
)

ANSWER_SECONDS = 3.0
"""A GPU that fell off the bus can hold whoever asks for it for ever."""
RETRY_SECONDS = 15.0
"""Between two attempts to open NVML again."""
NOT_HERE = "the run's process is not on this machine"
NOT_READ = {
    "cuda": "AMD's sensors are not read",
    "mps": "macOS tells it to no program of a user",
    "": "its journal does not name its device",
}
"""Of devices that are no CPU and no NVIDIA GPU: why they tell nothing."""


class Sensors:
    """The sensors of one run; each reading is since the one before, the first since they were made."""

    def __init__(self, watched: Watched) -> None:
        self._host = _HostSensors(watched)
        self._device: _CpuSensors | _NvidiaSensors | _NoSensors
        if watched.device_type == "cpu":
            self._device = _CpuSensors()
        elif watched.device_uuid:
            self._device = _NvidiaSensors(watched.device_uuid)
        else:
            self._device = _NoSensors(NOT_READ.get(watched.device_type, NOT_READ[""]))

    def read(self) -> Sample:
        """Read them all; takes milliseconds, or `ANSWER_SECONDS` where a driver does not answer."""
        return Sample(self._device.read(), self._host.read())


class _HostSensors:
    """The process that carries a run, with the workers that it started."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._seconds = {pid: seconds for pid, (seconds, _) in self._look().items()}
        self._looked = time.monotonic()

    def read(self) -> HostReadings:
        now, processes = time.monotonic(), self._look()
        if not processes:
            return HostReadings(unknown(NOT_HERE), unknown(NOT_HERE))
        used = sum(seconds - self._seconds[pid] for pid, (seconds, _) in processes.items() if pid in self._seconds)
        cores = used / max(now - self._looked, 1e-3)
        self._seconds = {pid: seconds for pid, (seconds, _) in processes.items()}
        self._looked = now
        return HostReadings(Reading(cores), Reading(float(sum(memory for _, memory in processes.values()))))

    def _look(self) -> dict[int, tuple[float, int]]:
        """Seconds of CPU time and bytes of memory by process; none if its number is another program's, or nobody's."""
        found: dict[int, tuple[float, int]] = {}
        try:
            host = psutil.Process(self._watched.host_pid)
            if not any(self._watched.run in word for word in host.cmdline()):
                return {}
            for process in (host, *map(psutil.Process, _workers(host.pid))):
                with process.oneshot():
                    times = process.cpu_times()
                    found[process.pid] = (times.user + times.system, process.memory_info().rss)
        except psutil.Error:
            pass
        return found


def _workers(pid: int) -> list[int]:
    """The processes that the main thread of a process started; Linux tells them without a look at all processes."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class _CpuSensors:
    def __init__(self) -> None:
        psutil.cpu_percent()  # from now on

    def read(self) -> CpuReadings:
        memory = psutil.virtual_memory()
        return CpuReadings(
            load=Reading(psutil.cpu_percent() / 100, 1.0),
            memory=Reading(float(memory.total - memory.available), float(memory.total)),
            clock=_clock(),
            temperature=_temperature(),
        )


def _clock() -> Reading:
    try:
        told = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        told = None
    if not told or not told.current:
        return unknown("this machine does not tell it")
    return Reading(float(told.current), float(told.max) or None)


def _temperature() -> Reading:
    """The hottest of the sensors on the processor, by the names of their drivers."""
    told = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
    degrees = [one.current for name in ("coretemp", "k10temp", "cpu_thermal", "zenpower") for one in told.get(name, [])]
    return Reading(max(degrees)) if degrees else unknown("this machine does not tell it")


class _NoSensors:
    def __init__(self, why_not: str) -> None:
        self._readings = nothing_known(why_not)

    def read(self) -> GpuReadings:
        return self._readings


class _NvidiaSensors:
    """A GPU through NVML, which is opened again now and then when it is lost; nothing here waits for it for ever."""

    def __init__(self, uuid: str) -> None:
        self._uuid = uuid
        self._gpu: tuple[Handle, Handle | None] | None = None
        """As NVML knows it; None while NVML is not open."""
        self._asking: threading.Thread | None = None
        self._readings = nothing_known("NVML was not asked yet")
        self._not_before = 0.0

    def read(self) -> GpuReadings:
        if self._asking is None or not self._asking.is_alive():
            if time.monotonic() < self._not_before:
                return self._readings
            self._asking = threading.Thread(target=self._ask, name="ask NVML", daemon=True)
            self._asking.start()
            self._asking.join(ANSWER_SECONDS)
            if not self._asking.is_alive():
                return self._readings
        return nothing_known("NVML does not answer")

    def _ask(self) -> None:
        try:
            nvml = load_nvml()
            with troubles(nvml):
                if self._gpu is None:
                    nvml.nvmlInit()
                    self._gpu = find_gpu(nvml, self._uuid)
                self._readings = read_gpu(nvml, *self._gpu)
        except NvmlUnavailableError as error:
            if error.trouble != "no package":
                shut_down(load_nvml())
            self._gpu = None
            self._readings = nothing_known(f"{error}; asked again every {RETRY_SECONDS:g} s")
            self._not_before = time.monotonic() + RETRY_SECONDS
