"""What the control groups of this process allow it of CPU time and memory, of both versions."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cifartui.files import open_file

FOLDER = "sys/fs/cgroup"
MOST_BYTES = 65_536
NO_LIMIT_BYTES = 2**60
"""From here on a limit of version 1, where "none" is the largest whole pages that fit into 63 bits, is none."""


def allowed_cores(root: Path = Path("/")) -> float | None:
    """CPU cores that this process may use in the mean, 0.5 for half of one; None where nothing limits it.

    `root` is the folder whose `proc` and `sys` are read.
    """
    limits = [_cores(*_words(text, 2)) for text in _texts(root, "", "cpu.max")]
    for folder in _folders(root, "cpu"):
        limits.append(_cores(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()))
    return min((limit for limit in limits if limit is not None), default=None)


def allowed_memory(root: Path = Path("/")) -> int | None:
    """Bytes of memory that the processes of this group may take together; None where nothing limits them."""
    texts = (*_texts(root, "", "memory.max"), *_texts(root, "memory", "memory.limit_in_bytes"))
    limits = (int(text) for text in texts if text.strip().isdecimal())
    return min((limit for limit in limits if limit < NO_LIMIT_BYTES), default=None)


def _cores(quota: str, period: str) -> float | None:
    """A quota and its period, in µs, as cores; None where it is none."""
    if not (quota.isdecimal() and period.isdecimal() and int(quota) and int(period)):
        return None
    return int(quota) / int(period)


def _words(text: str, count: int) -> list[str]:
    return [*text.split(), *[""] * count][:count]


def _texts(root: Path, controller: str, file: str) -> Iterator[str]:
    for folder in _folders(root, controller):
        if text := _read(folder / file):
            yield text


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group and of all above it, of a controller of version 1 or, if "", of version 2.

    Within a container the path may be the host's while its own group is the topmost that is seen, so all are looked at.
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, names, path = [*line.split(":", 2), "", ""][:3]
        if (controller in names.split(",")) if controller else (number == "0" and not names):
            mounted = [root / FOLDER / names] + ([root / FOLDER / controller] if names != controller else [])
            for inner in (PurePosixPath(path), *PurePosixPath(path).parents):
                below = re.sub(r"^/+", "", str(inner))
                yield from (folder / below for folder in mounted)


def _read(file: Path) -> str:
    try:
        with open_file(file) as opened:
            return opened.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
