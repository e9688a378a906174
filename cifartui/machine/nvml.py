"""NVIDIA's management library (NVML): opened and asked, with each of its failures as what it means here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from cifartui.machine.facts import NvidiaGpu, NvmlTrouble
from cifartui.machine.readings import GpuReadings, Reading, unknown
from cifartui.text import printable

Handle = Any
"""What NVML knows a GPU by."""
NOT_TOLD = "this GPU does not tell it"
OF_AN_INSTANCE = "NVML cannot tell it of an instance (MIG)"
TROUBLES: dict[NvmlTrouble, str] = {
    "no package": "nvidia-ml-py is not installed",
    "no library": "NVML, the driver's library for it, is not here",
    "no driver": "the NVIDIA driver is not loaded",
    "version mismatch": "the NVIDIA driver was updated and not loaded again",
    "lost": "the GPU is lost to its driver",
    "no permission": "the driver lets this user not ask",
    "no answer": "NVML does not answer",
    "other": "NVML fails",
}


class NvmlUnavailableError(Exception):
    """NVML cannot be asked now, about anything."""

    def __init__(self, trouble: NvmlTrouble, says: str = "") -> None:
        super().__init__(TROUBLES[trouble] + (f" ({says})" if trouble == "other" and says else ""))
        self.trouble, self.says = trouble, says


def load_nvml() -> ModuleType:
    """The module through which NVML is asked, not opened yet.

    Raises:
        NvmlUnavailableError: it is not installed.
    """
    try:
        import pynvml
    except ImportError as error:
        raise NvmlUnavailableError("no package") from error
    module: ModuleType = pynvml
    return module


@contextmanager
def opened() -> Iterator[ModuleType]:
    """NVML for a while; whatever it raises meanwhile concerns all of it.

    Raises:
        NvmlUnavailableError: it cannot be asked, or no more.
    """
    nvml = load_nvml()
    with troubles(nvml):
        nvml.nvmlInit()
        try:
            yield nvml
        finally:
            shut_down(nvml)


def shut_down(nvml: ModuleType) -> None:
    """Close NVML; what went wrong before is what counts."""
    with suppress(nvml.NVMLError):
        nvml.nvmlShutdown()


@contextmanager
def troubles(nvml: ModuleType) -> Iterator[None]:
    """Whatever NVML raises here concerns all of it.

    Raises:
        NvmlUnavailableError: in place of NVML's own errors.
    """
    try:
        yield
    except nvml.NVMLError as error:
        names: dict[int, NvmlTrouble] = {
            nvml.NVML_ERROR_LIBRARY_NOT_FOUND: "no library",
            nvml.NVML_ERROR_DRIVER_NOT_LOADED: "no driver",
            nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "version mismatch",
            nvml.NVML_ERROR_GPU_IS_LOST: "lost",
            nvml.NVML_ERROR_RESET_REQUIRED: "lost",
            nvml.NVML_ERROR_NO_PERMISSION: "no permission",
            nvml.NVML_ERROR_TIMEOUT: "no answer",
        }
        raise NvmlUnavailableError(names.get(error.value, "other"), printable(str(error), 100)) from error


def driver_versions(nvml: ModuleType) -> tuple[str, str]:
    """The driver's version and the newest CUDA that it knows: `550.54.15`, `12.4`."""
    cuda = nvml.nvmlSystemGetCudaDriverVersion_v2()
    return printable(nvml.nvmlSystemGetDriverVersion(), 40), f"{cuda // 1000}.{cuda % 1000 // 10}"


def all_gpus(nvml: ModuleType) -> tuple[NvidiaGpu, ...]:
    """Every GPU, with the readings that it does not give."""
    gpus = []
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        mig = _has_instances(nvml, handle)
        readings = read_gpu(nvml, handle, of_instance=None)
        names = readings.__struct_fields__
        not_known = {name: why for name in names if (why := getattr(readings, name).why_not)}
        gpus.append(
            NvidiaGpu(
                name=printable(nvml.nvmlDeviceGetName(handle), 80),
                uuid=printable(nvml.nvmlDeviceGetUUID(handle), 80),
                mig=mig,
                instances=_instances(nvml, handle) if mig else 0,
                not_known=not_known,
            )
        )
    return tuple(gpus)


def find_gpu(nvml: ModuleType, uuid: str) -> tuple[Handle, Handle | None]:
    """The GPU that CUDA calls `uuid`, and the instance of it if it is one.

    Raises:
        NvmlUnavailableError: there is none of this name on this machine.
    """
    bare = uuid.removeprefix("GPU-").removeprefix("MIG-")
    for name in (f"GPU-{bare}", f"MIG-{bare}"):
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(name)
        except (nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument):
            continue
        if name.startswith("GPU-"):
            return handle, None
        return nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle), handle
    raise NvmlUnavailableError("other", "it knows no GPU of the run's name")


def read_gpu(nvml: ModuleType, gpu: Handle, of_instance: Handle | None) -> GpuReadings:
    """Ask a GPU for everything; memory is the instance's if the run has one.

    Raises:
        NvmlUnavailableError, NVMLError: it cannot be asked any more.
    """
    memory_of = gpu if of_instance is None else of_instance

    def load() -> Reading:
        return Reading(nvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100, 1.0)

    def memory() -> Reading:
        info = nvml.nvmlDeviceGetMemoryInfo(memory_of)
        return Reading(float(info.used), float(info.total))

    def temperature() -> Reading:
        return Reading(float(nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)))

    def power() -> Reading:
        watts = nvml.nvmlDeviceGetPowerUsage(gpu) / 1000
        return Reading(watts, _or_none(nvml, lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000))

    def clock() -> Reading:
        megahertz = float(nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM))
        return Reading(megahertz, _or_none(nvml, lambda: nvml.nvmlDeviceGetMaxClockInfo(gpu, nvml.NVML_CLOCK_SM)))

    split = of_instance is not None or _has_instances(nvml, gpu)
    return GpuReadings(
        load=unknown(OF_AN_INSTANCE) if split else _ask(nvml, load),
        memory=_ask(nvml, memory),
        temperature=_ask(nvml, temperature),
        power=_ask(nvml, power),
        clock=_ask(nvml, clock),
    )


def _ask(nvml: ModuleType, query: Callable[[], Reading]) -> Reading:
    """What a sensor tells; one that is not there says so, while what concerns all of NVML goes on up."""
    try:
        return query()
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_NoData):
        return unknown(NOT_TOLD)
    except nvml.NVMLError_NoPermission:
        return unknown("the driver does not let this user ask for it")


def _or_none(nvml: ModuleType, query: Callable[[], float]) -> float | None:
    """A limit, where the GPU has one."""
    try:
        return float(query())
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_NoPermission):
        return None


def _has_instances(nvml: ModuleType, gpu: Handle) -> bool:
    return bool(_or_none(nvml, lambda: nvml.nvmlDeviceGetMigMode(gpu)[0]))


def _instances(nvml: ModuleType, gpu: Handle) -> int:
    count = 0
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError_NotFound:
            continue
        count += 1
    return count
