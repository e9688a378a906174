"""Looking at GPUs from outside: the bus, the drivers, NVML, and what hides them; torch is asked elsewhere."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from cifartui.machine.facts import Graphics, NvidiaGpu, NvmlTrouble
from cifartui.machine.nvml import NvmlUnavailableError, all_gpus, driver_versions, opened
from cifartui.text import printable
from cifartui.training.device_names import HIDING

NVIDIA, AMD = "0x10de", "0x1002"
"""Vendors on the PCI bus."""
DISPLAY_CLASSES = ("0x0300", "0x0302", "0x0380", "0x1200")
"""Of PCI devices: graphics, 3D, display, and accelerators, which AMD's are."""
MPS_FOLDER = "tmp/nvidia-mps"
"""Where NVIDIA's Multi-Process Service listens, unless $CUDA_MPS_PIPE_DIRECTORY says otherwise."""


def look_at_graphics(
    root: Path = Path("/"), environment: Mapping[str, str] = os.environ, *, asks_nvml: bool = True
) -> Graphics:
    """See which GPUs and drivers there are; asking NVML may take a second or, with a broken GPU, hang."""
    trouble: NvmlTrouble = "no answer"
    says, driver, cuda = "", loaded_driver(root), ""
    gpus: tuple[NvidiaGpu, ...] = ()
    if asks_nvml:
        try:
            with opened() as nvml:
                driver, cuda = driver_versions(nvml)
                gpus = all_gpus(nvml)
            trouble = ""
        except NvmlUnavailableError as error:
            trouble, says = error.trouble, error.says
    pipe = Path(environment.get("CUDA_MPS_PIPE_DIRECTORY", root / MPS_FOLDER))
    return Graphics(
        nvidia_on_bus=_on_bus(root, NVIDIA),
        amd_on_bus=_on_bus(root, AMD),
        apple=platform.system() == "Darwin" and platform.machine() == "arm64",
        driver=driver,
        driver_cuda=cuda,
        device_files=(root / "dev/nvidiactl").exists() or (root / "dev/dxg").exists(),
        amd_driver=(root / "dev/kfd").exists(),
        nvml=trouble,
        nvml_says=says,
        gpus=gpus,
        multi_process=(pipe / "control").exists(),
        multi_process_share=printable(environment.get("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", ""), 10),
        visible={name: printable(environment[name], 80) for name in HIDING if name in environment},
        container=(root / ".dockerenv").exists() or (root / "run/.containerenv").exists() or "container" in environment,
    )


def loaded_driver(root: Path) -> str:
    """The version of the NVIDIA driver that the kernel has loaded; empty if none."""
    try:
        text = (root / "proc/driver/nvidia/version").read_text(errors="replace")
    except OSError:
        return ""
    words = text.splitlines()[0].split() if text else []
    return next((printable(word, 40) for word in words if word.count(".") >= 1 and word[0].isdecimal()), "unknown")


def _on_bus(root: Path, vendor: str) -> tuple[str, ...]:
    """The PCI addresses of a maker's GPUs."""
    found = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        try:
            maker, kind = (device / "vendor").read_text().strip(), (device / "class").read_text().strip()
        except OSError:
            continue
        if maker == vendor and kind.startswith(DISPLAY_CLASSES):
            found.append(printable(device.name, 40))
    return tuple(found)
