"""Which device trains, and why, in words."""

import os
import warnings
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import msgspec
import torch
from torch.nn import functional

from cifartui.errors import CifartuiError
from cifartui.processor import cpu_name, usable_cores
from cifartui.text import printable
from cifartui.training.device_names import HIDING, DeviceName, DeviceType

SMALL_STEP_MACS = 10_000_000
"""Below this many multiply-accumulates a step, one thread without oneDNN is fastest on a CPU.

Measured on 2 cores with the tutorial's network: at batch 4 (2.6 million) handing work to a second thread and to oneDNN
costs more than it saves; at batch 32 (21 million) both pay.
"""


class DeviceChoice(msgspec.Struct, frozen=True):
    """The device to train on."""

    device: DeviceType
    name: str
    """What the hardware calls itself."""
    reason: str
    """Why it was chosen, and why not a better one."""
    uuid: str = ""
    """Of an NVIDIA GPU, by which its driver knows it whatever number it has here."""


def choose_device(requested: DeviceName) -> DeviceChoice:
    """Choose the device; an accelerator is taken only after a step of training has run on it.

    Raises:
        CifartuiError: an accelerator was requested and cannot be used.
    """
    if requested == "cpu":
        return DeviceChoice("cpu", cpu_name(), "the CPU was asked for")
    obstacles: list[str] = []
    for device, of_kind, nothing in _accelerators(requested):
        if device is None:
            obstacles.append(nothing)
            continue
        _, obstacle = try_device(device)
        if not obstacle:
            return DeviceChoice(of_kind, device_title(device), _why(of_kind), _uuid(device))
        obstacles.append(f"a test step on {device_title(device)} failed ({obstacle})")
    obstacle = "; ".join(obstacles)
    if requested != "auto":
        raise CifartuiError(f"No {_KINDS[requested]} can be used: {obstacle}; mend that, or train with --device cpu.")
    return DeviceChoice("cpu", cpu_name(), f"no GPU can be used: {obstacle}")


_KINDS: dict[DeviceName, str] = {"cuda": "GPU", "mps": "Apple GPU"}


def _accelerators(requested: DeviceName) -> list[tuple[torch.device | None, DeviceType, str]]:
    """The devices to try in turn, or why there is none of a kind; Apple's where it could be, or was asked for."""
    found: list[tuple[torch.device | None, DeviceType, str]] = []
    if requested != "cuda" and (requested == "mps" or torch.backends.mps.is_built()):
        there = torch.backends.mps.is_available()
        found.append((torch.device("mps") if there else None, "mps", mps_obstacle()))
    if requested != "mps":
        obstacle = cuda_obstacle()
        found.append((None if obstacle else torch.device("cuda", 0), "cuda", obstacle))
    return sorted(found, key=lambda kind: kind[1])  # CUDA's first; no machine has both


def _why(kind: DeviceType) -> str:
    if kind == "mps":
        return "the GPU of this Mac"
    what = "ROCm" if torch.version.hip else "CUDA"
    count = torch.cuda.device_count()
    return f"the only {what} device" if count == 1 else f"the first of {count} {what} devices"


def device_title(device: torch.device) -> str:
    """What a device calls itself, as far as it does."""
    if device.type == "cuda":
        properties = cuda_properties(device)
        return printable(properties.name, 80) if properties else str(device)
    return "Apple GPU" if device.type == "mps" else cpu_name()


def cuda_properties(device: torch.device) -> Any | None:
    """What CUDA knows of a device; None of others, and of one that cannot even be opened."""
    try:
        return torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    except RuntimeError:
        return None


def _uuid(device: torch.device) -> str:
    properties = None if torch.version.hip else cuda_properties(device)
    return printable(str(properties.uuid), 80) if properties else ""


def cuda_obstacle(environment: Mapping[str, str] = os.environ) -> str:
    """Why torch offers no NVIDIA or AMD GPU, as a clause; empty when it does."""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"this PyTorch ({torch.__version__}) was built for CPUs only"
    hidden = hiding_variable(environment)
    if hidden:
        return f"{hidden}={environment[hidden]!r} hides every GPU"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        return ""
    if caught:
        return first_sentence(str(caught[0].message))
    if torch.version.hip:
        return "no AMD driver answers" if not os.path.exists("/dev/kfd") else "the AMD driver shows no GPU"
    return "no NVIDIA driver answers" if not os.path.exists("/dev/nvidiactl") else "the NVIDIA driver shows no GPU"


def hiding_variable(environment: Mapping[str, str]) -> str:
    """The name of the variable that hides every GPU; empty if none does."""
    return next((name for name in HIDING if environment.get(name, "0").strip() in ("", "-1")), "")


def mps_obstacle() -> str:
    """Why torch offers no Apple GPU, as a clause; empty when it does."""
    if torch.backends.mps.is_available():
        return ""
    if not torch.backends.mps.is_built():
        return f"this PyTorch ({torch.__version__}) was not built for Apple's GPUs"
    return "this Mac's system is too old for them, or it has none"


def try_device(device: torch.device) -> tuple[float, str]:
    """Take two steps as training does, the second with a flag that says not to apply it.

    Return the seconds that they took, and why the device cannot be used; empty if it can.
    """
    started = perf_counter()
    try:
        images = torch.ones(2, 3, 8, 8, device=device)
        weight = torch.zeros(4, 3, 3, 3, device=device, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9, fused=True)
        seen = []
        for flag in (0.0, 1.0):
            optimizer.zero_grad()
            functional.conv2d(images, weight).sum().backward()
            optimizer.found_inf = torch.full((1,), flag, device=device)  # type: ignore[attr-defined]  # read by its step
            optimizer.step()
            seen.append(weight.detach().sum().item())
    except RuntimeError as error:
        return perf_counter() - started, first_sentence(str(error))
    seconds = perf_counter() - started
    if seen[0] == 0 or seen[1] != seen[0]:
        return seconds, "it applies an update that is flagged as not finite, or none at all"
    return seconds, ""


def tune_cpu(macs_per_step: int) -> None:
    """Set torch's threads and oneDNN for training steps of this size; by rule, so that results repeat to the bit."""
    small = macs_per_step < SMALL_STEP_MACS
    torch.backends.mkldnn.enabled = not small  # type: ignore[assignment]  # a property of the module
    torch.set_num_threads(1 if small else usable_cores())


def make_repeatable() -> None:
    """Have an accelerator give the same bits for the same steps, as a CPU does; where it cannot, torch warns.

    The sums of cuBLAS also need the setting with which the host starts, see `host.main`.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property
    torch.backends.cudnn.benchmark = False


def first_sentence(text: str) -> str:
    """The first sentence of what a library says, printable."""
    line = printable(text.strip().splitlines()[0] if text.strip() else "unknown error", 200)
    return line.split(". ")[0].rstrip(".")
