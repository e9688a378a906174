"""Looking at processor, memory and disk."""

import os
import shutil
from pathlib import Path

import psutil

from cifartui import home
from cifartui.cgroups import allowed_cores, allowed_memory
from cifartui.errors import obstacle
from cifartui.logind import logout_ends
from cifartui.machine.facts import Computer
from cifartui.processor import cpu_model, reachable_cores
from cifartui.text import printable

SHARED_MEMORY = "dev/shm"


def look_at_computer(root: Path = Path("/")) -> Computer:
    """Take a few milliseconds to look at what this machine has and what of it this process may use."""
    memory = psutil.virtual_memory()
    shared = root / SHARED_MEMORY
    folder = home.home()
    free, why = _disk(folder)
    return Computer(
        cpu=cpu_model(root),
        cores=os.cpu_count() or 1,
        usable_cores=reachable_cores(),
        allowed_cores=allowed_cores(root),
        memory=memory.total,
        available_memory=memory.available,
        allowed_memory=allowed_memory(root),
        shared_memory=shutil.disk_usage(shared).total if shared.is_dir() else None,
        data_folder=printable(str(folder), 200),
        free_disk=free,
        disk_obstacle=why,
        logout_ends=logout_ends(root),
    )


def _disk(folder: Path) -> tuple[int | None, str]:
    """Bytes that are free for a folder, which may not be there yet, and why it cannot be written to."""
    there = next((parent for parent in (folder, *folder.parents) if parent.exists()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return None, obstacle(error)
    if not there.is_dir():
        return free, f"{printable(str(there), 200)} is a file"
    return free, "" if os.access(there, os.W_OK | os.X_OK) else "it may not be written to"
