"""What follows from the facts about processor, memory, disk and logging out."""

from cifartui.machine.facts import Computer
from cifartui.machine.finding import Finding, fine, not_here, problem, warning
from cifartui.text import size

LEAST_SHARED_MEMORY = 256 * 2**20
"""Below this the workers of a DataLoader may die: each keeps two batches there, of 6 MB at 512 images."""
LEAST_MEMORY, ENOUGH_MEMORY = 2**30, 3 * 2**30
"""PyTorch, the images of CIFAR-10 and a small network take about 1.2 GB."""
LEAST_DISK, ENOUGH_DISK = 400 * 10**6, 2 * 10**9
"""CIFAR-10 takes 350 MB while it is fetched, and 180 MB afterwards."""


def judge_computer(computer: Computer) -> list[Finding]:
    """A finding for each of its parts."""
    return [
        _cpu(computer),
        _share(computer),
        _memory(computer),
        _shared_memory(computer),
        _disk(computer),
        _logging_out(computer),
    ]


def _cpu(computer: Computer) -> Finding:
    what = f"{computer.cpu}, {_cores(computer.cores)}"
    if computer.usable_cores >= computer.cores:
        return fine("CPU", what)
    return warning(
        "CPU",
        f"{what}, {computer.usable_cores} of them for this program",
        "its affinity is restricted",
        "start it with more cores (taskset, the scheduler's or the container's --cpuset-cpus), if you may have them",
    )


def _share(computer: Computer) -> Finding:
    allowed = computer.allowed_cores
    if allowed is None or allowed >= computer.usable_cores:
        return fine("CPU limit", "none below the number of cores")
    found = f"{allowed:.2g} of {_cores(computer.usable_cores)} allowed in the mean"
    cause = "the control group of this process limits its CPU time (cpu.max)"
    if allowed < 1:
        return problem(
            "CPU limit",
            found,
            f"{cause}; it stands still for {1 - allowed:.0%} of the time",
            "give the container or job at least one core (--cpus=2), and train without DataLoader workers",
        )
    return warning("CPU limit", found, cause, "give the container or job more (--cpus), if you may; threads follow it")


def _memory(computer: Computer) -> Finding:
    limit = computer.allowed_memory
    limited = limit is not None and limit < computer.memory
    most = limit if limit is not None and limited else computer.memory
    free = min(computer.available_memory, most)
    what = f"{size(free)} of {size(computer.memory)} free" + f", {size(most)} allowed" * limited
    if free >= ENOUGH_MEMORY:
        return fine("memory", what)
    cause = "the control group of this process limits it (memory.max)" if most < ENOUGH_MEMORY else "other programs"
    remedy = "give the container or job more (--memory=4g)" if most < ENOUGH_MEMORY else "end what you do not need"
    if free < LEAST_MEMORY:
        return problem("memory", what, cause, f"{remedy}; loading PyTorch may fail, or be killed without a word")
    return warning("memory", what, cause, f"{remedy}; the tutorial fits, large networks and batches may not")


def _shared_memory(computer: Computer) -> Finding:
    subject = "shared memory"
    if computer.shared_memory is None:
        return not_here(subject, "no /dev/shm", "this system hands batches of DataLoader workers over otherwise")
    what = f"/dev/shm of {size(computer.shared_memory)}"
    if computer.shared_memory >= LEAST_SHARED_MEMORY:
        return fine(subject, what)
    return warning(
        subject,
        what,
        "containers have 64 MB of it unless told otherwise; DataLoader workers that find it full die of a bus error",
        "start the container with --shm-size=1g (or --ipc=host), or keep loader.kind = resident, which needs none",
    )


def _disk(computer: Computer) -> Finding:
    subject, folder, free = "disk", computer.data_folder, computer.free_disk
    move = "or set CIFARTUI_HOME to another folder"
    if computer.disk_obstacle:
        return problem(subject, f"{folder} cannot be used", computer.disk_obstacle, f"mend that, {move}")
    assert free is not None
    what = f"{size(free)} free for {folder}"
    if free >= ENOUGH_DISK:
        return fine(subject, what)
    if free < LEAST_DISK:
        return problem(subject, what, "fetching CIFAR-10 takes 350 MB", f"free some space, {move}")
    return warning(subject, what, "data sets and checkpoints take their room", f"free some space, {move}")


def _logging_out(computer: Computer) -> Finding:
    ends = computer.logout_ends
    if ends is None:
        return fine("logging out", "a run that is started here goes on")
    return warning("logging out", "ends a run that is started here", ends.cause, ends.remedy)


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count != 1)}"
