"""GPUs as the bus, the drivers and NVML tell of them, with NVML's functions faked below nvidia-ml-py."""

import ctypes
from pathlib import Path
from typing import Any

import pynvml
import pytest

from cifartui.machine.facts import NvmlTrouble
from cifartui.machine.graphics import look_at_graphics
from tests.machine.fake_nvml import LOST, NOT_FOUND, NOT_SUPPORTED, UNKNOWN, UUID, Fails, install


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_healthy_driver_tells_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Driver, the CUDA it knows, and a GPU with every reading."""
    install(monkeypatch)
    graphics = look_at_graphics(tmp_path, {"CUDA_VISIBLE_DEVICES": "0"})
    assert (graphics.driver, graphics.driver_cuda, graphics.nvml) == ("580.65.06", "13.0", "")
    assert [(gpu.name, gpu.uuid, gpu.mig, gpu.not_known) for gpu in graphics.gpus] == [
        ("NVIDIA H100 80GB HBM3", UUID, False, {})
    ]
    assert graphics.visible == {"CUDA_VISIBLE_DEVICES": "0"}


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ({"nvmlInitWithFlags": Fails(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)}, "no driver"),
        ({"nvmlInitWithFlags": Fails(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)}, "version mismatch"),
        ({"nvmlInitWithFlags": Fails(pynvml.NVML_ERROR_NO_PERMISSION)}, "no permission"),
        ({"nvmlInitWithFlags": Fails(UNKNOWN)}, "other"),
        ({"nvmlDeviceGetHandleByIndex_v2": Fails(LOST)}, "lost"),
        ({"nvmlDeviceGetTemperature": Fails(pynvml.NVML_ERROR_RESET_REQUIRED)}, "lost"),
    ],
)
def test_trouble_with_nvml_has_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: dict[str, Any], trouble: NvmlTrouble
) -> None:
    """At its start or in the middle; what was told before stays."""
    install(monkeypatch, **answers)
    graphics = look_at_graphics(tmp_path, {})
    assert graphics.nvml == trouble
    assert graphics.driver == ("" if "nvmlInitWithFlags" in answers else "580.65.06")


def test_library_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a driver: nvidia-ml-py looks for the library and finds none."""
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", lambda _: ctypes.CDLL(str(tmp_path / "none.so")))
    assert look_at_graphics(tmp_path, {}).nvml == "no library"


def test_readings_that_are_not_supported_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each with why, and the others are there."""
    install(monkeypatch, nvmlDeviceGetPowerUsage=Fails(NOT_SUPPORTED))
    (gpu,) = look_at_graphics(tmp_path, {}).gpus
    assert gpu.not_known == {"power": "this GPU does not tell it"}


def test_instances_of_a_split_gpu_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two of seven places have one; the load of neither is known."""

    def place(_: object, index: Any, __: object) -> object:
        return None if index.value < 2 else Fails(NOT_FOUND)

    install(
        monkeypatch,
        nvmlDeviceGetMigMode=1,
        nvmlDeviceGetMaxMigDeviceCount=7,
        nvmlDeviceGetMigDeviceHandleByIndex=place,
    )
    (gpu,) = look_at_graphics(tmp_path, {}).gpus
    assert (gpu.mig, gpu.instances) == (True, 2)
    assert gpu.not_known == {"load": "NVML cannot tell it of an instance (MIG)"}


def test_bus_and_files_tell_of_gpus_without_a_driver(tmp_path: Path) -> None:
    """An NVIDIA GPU, its sound and an AMD accelerator on the bus; the driver of the host; the variables that hide."""
    for address, vendor, kind in (
        ("0000:01:00.0", "0x10de", "0x030200"),
        ("0000:01:00.1", "0x10de", "0x040300"),
        ("0000:03:00.0", "0x1002", "0x120000"),
    ):
        device = tmp_path / "sys/bus/pci/devices" / address
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text(f"{kind}\n")
    version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build\nGCC version: …\n"
    write(tmp_path, proc__driver__nvidia__version=version, run__x="")
    pipe = tmp_path / "mps"
    write(pipe, control="")
    environment = {
        "HIP_VISIBLE_DEVICES": "\x1b[31m",
        "CUDA_MPS_PIPE_DIRECTORY": str(pipe),
        "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "25",
    }
    graphics = look_at_graphics(tmp_path, environment, asks_nvml=False)
    assert (graphics.nvidia_on_bus, graphics.amd_on_bus) == (("0000:01:00.0",), ("0000:03:00.0",))
    assert (graphics.driver, graphics.nvml, graphics.device_files) == ("550.54.15", "no answer", False)
    assert (graphics.multi_process, graphics.multi_process_share) == (True, "25")
    assert graphics.visible == {"HIP_VISIBLE_DEVICES": "�[31m"}
