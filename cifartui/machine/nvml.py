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


@contextmanager
def opened() -> Iterator[ModuleType]:
    """NVML for a while.

    Raises:
        NvmlUnavailableError: it cannot be asked, or no more.
    """
    try:
        import pynvml
    except ImportError as error:
        raise NvmlUnavailableError("no package") from error
    with _troubles(pynvml):
        pynvml.nvmlInit()
        try:
            yield pynvml
        finally:
            with suppress(pynvml.NVMLError):  # what went wrong before is what counts
                pynvml.nvmlShutdown()


@contextmanager
def _troubles(pynvml: ModuleType) -> Iterator[None]:
    """Whatever NVML raises here concerns all of it."""
    try:
        yield
    except pynvml.NVMLError as error:
        names: dict[int, NvmlTrouble] = {
            pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "no library",
            pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "no driver",
            pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "version mismatch",
            pynvml.NVML_ERROR_GPU_IS_LOST: "lost",
            pynvml.NVML_ERROR_RESET_REQUIRED: "lost",
            pynvml.NVML_ERROR_NO_PERMISSION: "no permission",
            pynvml.NVML_ERROR_TIMEOUT: "no answer",
        }
        raise NvmlUnavailableError(names.get(error.value, "other"), printable(str(error), 100)) from error


def driver_versions(pynvml: ModuleType) -> tuple[str, str]:
    """The driver's version and the newest CUDA that it knows: `550.54.15`, `12.4`."""
    cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return printable(pynvml.nvmlSystemGetDriverVersion(), 40), f"{cuda // 1000}.{cuda % 1000 // 10}"


def all_gpus(pynvml: ModuleType) -> tuple[NvidiaGpu, ...]:
    """Every GPU, with the readings that it does not give."""
    gpus = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        mig = _has_instances(pynvml, handle)
        readings = read_gpu(pynvml, handle, of_instance=None)
        names = readings.__struct_fields__
        not_known = {name: why for name in names if (why := getattr(readings, name).why_not)}
        gpus.append(
            NvidiaGpu(
                name=printable(pynvml.nvmlDeviceGetName(handle), 80),
                uuid=printable(pynvml.nvmlDeviceGetUUID(handle), 80),
                mig=mig,
                instances=_instances(pynvml, handle) if mig else 0,
                not_known=not_known,
            )
        )
    return tuple(gpus)


def find_gpu(pynvml: ModuleType, uuid: str) -> tuple[Handle, Handle | None]:
    """The GPU that CUDA calls `uuid`, and the instance of it if it is one.

    Raises:
        NvmlUnavailableError: there is none of this name on this machine.
    """
    bare = uuid.removeprefix("GPU-").removeprefix("MIG-")
    for name in (f"GPU-{bare}", f"MIG-{bare}"):
        try:
            handle = pynvml.nvmlDeviceGetHandleByUUID(name)
        except (pynvml.NVMLError_NotFound, pynvml.NVMLError_InvalidArgument):
            continue
        if name.startswith("GPU-"):
            return handle, None
        return pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle), handle
    raise NvmlUnavailableError("other", "it knows no GPU of the run's name")


def read_gpu(pynvml: ModuleType, gpu: Handle, of_instance: Handle | None) -> GpuReadings:
    """Ask a GPU for everything; memory is the instance's if the run has one.

    Raises:
        NvmlUnavailableError, NVMLError: it cannot be asked any more.
    """
    memory_of = gpu if of_instance is None else of_instance

    def load() -> Reading:
        return Reading(pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100, 1.0)

    def memory() -> Reading:
        info = pynvml.nvmlDeviceGetMemoryInfo(memory_of)
        return Reading(float(info.used), float(info.total))

    def temperature() -> Reading:
        return Reading(float(pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU)))

    def power() -> Reading:
        watts = pynvml.nvmlDeviceGetPowerUsage(gpu) / 1000
        return Reading(watts, _or_none(pynvml, lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000))

    def clock() -> Reading:
        megahertz = float(pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM))
        return Reading(megahertz, _or_none(pynvml, lambda: pynvml.nvmlDeviceGetMaxClockInfo(gpu, pynvml.NVML_CLOCK_SM)))

    split = of_instance is not None or _has_instances(pynvml, gpu)
    return GpuReadings(
        load=unknown(OF_AN_INSTANCE) if split else _ask(pynvml, load),
        memory=_ask(pynvml, memory),
        temperature=_ask(pynvml, temperature),
        power=_ask(pynvml, power),
        clock=_ask(pynvml, clock),
    )


def _ask(pynvml: ModuleType, query: Callable[[], Reading]) -> Reading:
    """What a sensor tells; one that is not there says so, while what concerns all of NVML goes on up."""
    try:
        return query()
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound, pynvml.NVMLError_NoData):
        return unknown(NOT_TOLD)
    except pynvml.NVMLError_NoPermission:
        return unknown("the driver does not let this user ask for it")


def _or_none(pynvml: ModuleType, query: Callable[[], float]) -> float | None:
    """A limit, where the GPU has one."""
    try:
        return float(query())
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound, pynvml.NVMLError_NoPermission):
        return None


def _has_instances(pynvml: ModuleType, gpu: Handle) -> bool:
    return bool(_or_none(pynvml, lambda: pynvml.nvmlDeviceGetMigMode(gpu)[0]))


def _instances(pynvml: ModuleType, gpu: Handle) -> int:
    count = 0
    for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except pynvml.NVMLError_NotFound:
            continue
        count += 1
    return count
