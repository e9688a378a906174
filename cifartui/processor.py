"""The processor: what it calls itself, and the cores that this process may use of it."""

import math
import os
import platform
from pathlib import Path

from cifartui.cgroups import allowed_cores
from cifartui.text import printable


def usable_cores() -> int:
    """CPU cores that are worth a thread or a worker each: by affinity, and by what the control group allows."""
    allowed = allowed_cores()
    reachable = reachable_cores()
    return reachable if allowed is None else max(1, min(reachable, math.ceil(allowed)))


def reachable_cores() -> int:
    """CPU cores on which this process may run: its affinity, where the system has such a thing."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model(root: Path = Path("/")) -> str:
    """What the CPU calls itself: `Intel(R) Xeon(R) …`."""
    model = platform.processor() or platform.machine()
    cpuinfo = root / "proc/cpuinfo"
    if cpuinfo.exists():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return printable(model, 80)


def cpu_name() -> str:
    """The CPU's model and the cores this process may use: `Intel(R) Xeon(R) …, 2 cores`."""
    cores = usable_cores()
    return f"{cpu_model()}, {cores} core{'s' * (cores != 1)}"
