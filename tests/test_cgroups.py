"""What control groups allow, from the files of both versions as containers, slices and hosts have them."""

from pathlib import Path

import pytest

from cifartui.cgroups import allowed_cores, allowed_memory

GROUP, UNIFIED, CPU, MEMORY = "proc/self/cgroup", "sys/fs/cgroup", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/memory"
NONE_V1 = "9223372036854771712"


@pytest.mark.parametrize(
    ("files", "cores", "memory"),
    [
        ({}, None, None),
        ({GROUP: "0::/\n", f"{UNIFIED}/cpu.max": "max 100000\n", f"{UNIFIED}/memory.max": "max\n"}, None, None),
        ({GROUP: "0::/\n", f"{UNIFIED}/cpu.max": "50000 100000\n", f"{UNIFIED}/memory.max": "1048576\n"}, 0.5, 2**20),
        (
            {
                GROUP: "0::/user.slice/job\n",
                f"{UNIFIED}/user.slice/cpu.max": "150000 100000",
                f"{UNIFIED}/user.slice/job/cpu.max": "400000 100000",
                f"{UNIFIED}/user.slice/job/memory.max": "2048",
                f"{UNIFIED}/user.slice/memory.max": "4096",
            },
            1.5,
            2048,
        ),
        ({GROUP: "0::/docker/of-the-host\n", f"{UNIFIED}/cpu.max": "200000 100000"}, 2.0, None),
        (
            {
                GROUP: "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/\n",
                f"{CPU}/cpu.cfs_quota_us": "50000\n",
                f"{CPU}/cpu.cfs_period_us": "100000\n",
                f"{MEMORY}/memory.limit_in_bytes": "1048576\n",
            },
            0.5,
            2**20,
        ),
        (
            {
                GROUP: "4:cpu,cpuacct:/\n3:memory:/\n",
                f"{CPU}/cpu.cfs_quota_us": "-1",
                f"{CPU}/cpu.cfs_period_us": "100000",
                f"{MEMORY}/memory.limit_in_bytes": NONE_V1,
            },
            None,
            None,
        ),
        ({GROUP: "0::/\nnonsense", f"{UNIFIED}/cpu.max": "0 0", f"{UNIFIED}/memory.max": "many"}, None, None),
        ({GROUP: "0::/../../x\n", f"{UNIFIED}/cpu.max": ""}, None, None),
    ],
    ids=[
        "none",
        "no limit",
        "container",
        "slices",
        "host path",
        "version 1",
        "version 1, no limit",
        "nonsense",
        "dots",
    ],
)
def test_limits_of_the_groups(tmp_path: Path, files: dict[str, str], cores: float | None, memory: int | None) -> None:
    """The least of the group's own limit and of those above it; whatever is no number is no limit."""
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert allowed_cores(tmp_path) == cores
    assert allowed_memory(tmp_path) == memory
