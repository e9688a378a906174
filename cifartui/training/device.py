"""Which device trains, and why, in words."""

import os
import platform
import warnings
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch.nn import functional

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.training.device_names import DeviceName

SMALL_STEP_MACS = 10_000_000
"""Below this many multiply-accumulates a step, one thread without oneDNN is fastest on a CPU.

Measured on 2 cores with the tutorial's network: at batch 4 (2.6 million) handing work to a second thread and to oneDNN
costs more than it saves; at batch 32 (21 million) both pay.
"""


class DeviceChoice(msgspec.Struct, frozen=True):
    """The device to train on."""

    device: Literal["cpu", "cuda"]
    name: str
    """What the hardware calls itself."""
    reason: str
    """Why it was chosen, and why not a better one."""


def choose_device(requested: DeviceName) -> DeviceChoice:
    """Choose the device; a GPU is taken only after a convolution has run on it forwards and backwards.

    Raises:
        CifartuiError: "cuda" was requested and cannot be used.
    """
    if requested == "cpu":
        return DeviceChoice("cpu", cpu_name(), "the CPU was asked for")
    obstacle = cuda_obstacle()
    if not obstacle:
        count = torch.cuda.device_count()
        reason = "the only CUDA device" if count == 1 else f"the first of {count} CUDA devices"
        return DeviceChoice("cuda", printable(torch.cuda.get_device_name(0), 80), reason)
    if requested == "cuda":
        raise CifartuiError(f"No GPU can be used: {obstacle}; mend that, or train with --device cpu.")
    return DeviceChoice("cpu", cpu_name(), f"no GPU can be used: {obstacle}")


def cuda_obstacle() -> str:
    """Why CUDA cannot be used, as a clause; empty when it can."""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"this PyTorch ({torch.__version__}) was built for CPUs only"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={hidden!r} hides every GPU"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        if caught:
            return _first_sentence(str(caught[0].message))
        return "no NVIDIA driver answers" if not Path("/dev/nvidiactl").exists() else "the NVIDIA driver shows no GPU"
    try:
        images = torch.zeros(2, 3, 8, 8, device="cuda", requires_grad=True)
        functional.conv2d(images, torch.zeros(4, 3, 3, 3, device="cuda")).sum().backward()
        torch.cuda.synchronize()
    except RuntimeError as error:
        return f"a test convolution on {torch.cuda.get_device_name(0)} failed ({_first_sentence(str(error))})"
    return ""


def tune_cpu(macs_per_step: int) -> None:
    """Set torch's threads and oneDNN for training steps of this size; by rule, so that results repeat to the bit."""
    small = macs_per_step < SMALL_STEP_MACS
    torch.backends.mkldnn.enabled = not small  # type: ignore[assignment]  # a property of the module
    torch.set_num_threads(1 if small else usable_cores())


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """The CPU's model and the cores this process may use: `Intel(R) Xeon(R) …, 2 cores`."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    cores = usable_cores()
    return printable(f"{model}, {cores} core{'s' * (cores != 1)}", 80)


def _first_sentence(text: str) -> str:
    line = printable(text.strip().splitlines()[0] if text.strip() else "unknown error", 200)
    return line.split(". ")[0].rstrip(".")
