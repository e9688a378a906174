"""NVML as a driver without a GPU would have it: nvidia-ml-py calls this in place of the library's functions."""

import ctypes
from collections.abc import Callable
from typing import Any

import pynvml
import pytest

UUID = "GPU-11111111-2222-3333-4444-555555555555"
NOT_SUPPORTED, LOST, UNKNOWN, NOT_FOUND = (
    pynvml.NVML_ERROR_NOT_SUPPORTED,
    pynvml.NVML_ERROR_GPU_IS_LOST,
    pynvml.NVML_ERROR_UNKNOWN,
    pynvml.NVML_ERROR_NOT_FOUND,
)


class Fails(int):
    """The code that a function returns."""


HEALTHY: dict[str, Any] = {
    "nvmlInitWithFlags": None,
    "nvmlShutdown": None,
    "nvmlErrorString": b"Unknown Error",
    "nvmlSystemGetCudaDriverVersion_v2": 13000,
    "nvmlSystemGetDriverVersion": b"580.65.06",
    "nvmlDeviceGetCount_v2": 1,
    "nvmlDeviceGetHandleByIndex_v2": None,
    "nvmlDeviceGetHandleByUUID": None,
    "nvmlDeviceGetName": b"NVIDIA H100 80GB HBM3",
    "nvmlDeviceGetUUID": UUID.encode(),
    "nvmlDeviceGetMigMode": 0,
    "nvmlDeviceGetUtilizationRates": {"gpu": 83, "memory": 40},
    "nvmlDeviceGetMemoryInfo": {"total": 80 * 2**30, "used": 2 * 2**30, "free": 78 * 2**30},
    "nvmlDeviceGetTemperature": 54,
    "nvmlDeviceGetPowerUsage": 310_000,
    "nvmlDeviceGetEnforcedPowerLimit": 700_000,
    "nvmlDeviceGetClockInfo": 1_755,
    "nvmlDeviceGetMaxClockInfo": 1_980,
}
"""What each function of a healthy driver with one GPU gives."""


class FakeNvml:
    """The functions of the library, by what they give: a number, bytes, the fields of a struct, or a failure."""

    def __init__(self, **answers: Any) -> None:
        self.answers = HEALTHY | answers
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.startswith("nvml"):
            raise AttributeError(name)

        def function(*arguments: Any) -> Any:
            self.asked.append(name)
            answer = self.answers.get(name, Fails(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND))
            if callable(answer):
                answer = answer(*arguments)
            if isinstance(answer, Fails):
                return int(answer)
            if name == "nvmlErrorString":
                return answer
            for argument in arguments:
                _fill(argument, answer)
            return 0

        return function


def _fill(argument: Any, answer: Any) -> None:
    """Write an answer where the caller asked for it."""
    if isinstance(argument, ctypes.Array):
        argument.value = answer
    elif hasattr(argument, "_obj") and isinstance(answer, dict):
        for field, value in answer.items():
            setattr(argument._obj, field, value)
    elif hasattr(argument, "_obj") and isinstance(answer, int):
        argument._obj.value = answer


def install(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> FakeNvml:
    """Have nvidia-ml-py call a fake whose functions answer otherwise than a healthy driver's where they are named."""
    fake = FakeNvml(**answers)
    monkeypatch.setattr(pynvml, "nvmlLib", fake)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return fake
