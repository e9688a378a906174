"""What was found out about this machine: frozen values, from which the findings follow by rules."""

from typing import Literal

import msgspec

from cifartui.logind import LogoutEnds

# THE COMPUTER


class Computer(msgspec.Struct, frozen=True):
    """Processor, memory and disk, and what of them this process may use."""

    cpu: str = ""
    cores: int = 1
    """Of the whole machine."""
    usable_cores: int = 1
    """On which this process may run: its affinity."""
    allowed_cores: float | None = None
    """That the control group allows in the mean; None: no limit."""
    memory: int = 0
    """Bytes."""
    available_memory: int = 0
    allowed_memory: int | None = None
    """Bytes that the control group allows; None: no limit."""
    shared_memory: int | None = None
    """Bytes of /dev/shm; None where there is none."""
    data_folder: str = ""
    free_disk: int | None = None
    """Bytes free for the data folder; None where it cannot be told."""
    disk_obstacle: str = ""
    """Why the data folder cannot be written, as a clause."""
    logout_ends: LogoutEnds | None = None


class Terminal(msgspec.Struct, frozen=True):
    """The terminal as its size and the environment tell of it."""

    columns: int | None = None
    """None without a terminal."""
    rows: int | None = None
    kind: str = ""
    """$TERM."""
    program: str = ""
    colours: int = 0
    """2, 16, 256 or 2^24."""
    colours_switched_off: bool = False
    """By $NO_COLOR."""
    encoding: str = ""
    locale: str = ""
    multiplexer: Literal["", "tmux", "screen", "zellij"] = ""
    pictures: Literal["", "kitty", "iTerm2", "Sixel"] = ""
    """The protocol for pictures that a program of this name has."""


# GPUS


NvmlTrouble = Literal[
    "", "no package", "no library", "no driver", "version mismatch", "lost", "no permission", "no answer", "other"
]
"""Why NVIDIA's management library cannot be used; "" if it can."""


class NvidiaGpu(msgspec.Struct, frozen=True):
    """A GPU as NVML tells of it."""

    name: str
    uuid: str = ""
    mig: bool = False
    """Whether it is split into instances (Multi-Instance GPU)."""
    instances: int = 0
    not_known: dict[str, str] = {}  # msgspec copies an empty default
    """The readings that it does not give, and why."""


class Graphics(msgspec.Struct, frozen=True):
    """What the system knows of GPUs, without torch."""

    nvidia_on_bus: tuple[str, ...] = ()
    """PCI addresses."""
    amd_on_bus: tuple[str, ...] = ()
    apple: bool = False
    """Whether this is a Mac with a GPU of its own."""
    driver: str = ""
    """Version of the NVIDIA driver; empty if none is loaded."""
    driver_cuda: str = ""
    """The newest CUDA that the driver knows: `12.4`."""
    device_files: bool = False
    """Whether the driver's devices are here: a container may lack them."""
    amd_driver: bool = False
    nvml: NvmlTrouble = ""
    nvml_says: str = ""
    """In its own words."""
    gpus: tuple[NvidiaGpu, ...] = ()
    multi_process: bool = False
    """Whether NVIDIA's Multi-Process Service shares the GPUs out."""
    multi_process_share: str = ""
    """The percentage of each GPU that it allows, where that is limited."""
    visible: dict[str, str] = {}
    """The environment variables that hide GPUs, where they are set."""
    container: bool = False


class TorchDevice(msgspec.Struct, frozen=True):
    """A device that torch offers, and what became of a step of training on it."""

    device: str
    """`cpu`, `cuda:0`, `mps`."""
    name: str
    architecture: str = ""
    """`sm_90`, `gfx90a`; empty on others."""
    memory: int | None = None
    seconds: float | None = None
    """For the step; None if it failed."""
    obstacle: str = ""
    """Why it failed."""


class Torch(msgspec.Struct, frozen=True, tag=True):
    """PyTorch and its devices, as a child process found them."""

    version: str = ""
    cuda: str = ""
    """The CUDA that it was built for; empty if for none."""
    rocm: str = ""
    architectures: tuple[str, ...] = ()
    """For which it brings code."""
    says: str = ""
    """Why it offers no GPU, in its own words."""
    devices: tuple[TorchDevice, ...] = ()
    chosen: str = ""
    """The device on which training runs: `cpu`, `cuda`, `mps`."""
    chosen_name: str = ""
    reason: str = ""
    trouble: str = ""
    """Why torch could not be asked, or not to the end."""


# DATA


class Source(msgspec.Struct, frozen=True):
    """A host that has archives, and how it answered."""

    host: str
    files: int
    """How many archives it has."""
    seconds: float | None = None
    """Until the slowest answer; None if one failed."""
    obstacle: str = ""
    """Why not all of them can be had."""


class Facts(msgspec.Struct, frozen=True):
    """All facts; None for what was not looked at yet."""

    computer: Computer | None = None
    terminal: Terminal | None = None
    graphics: Graphics | None = None
    torch: Torch | None = None
    sources: tuple[Source, ...] | None = None
