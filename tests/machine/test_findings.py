"""What follows from the facts: for each thing that can be in the way, what is found and what to do."""

from itertools import chain

import msgspec
import pytest

from cifartui.logind import LogoutEnds
from cifartui.machine.diagnosis import judge
from cifartui.machine.facts import Computer, Facts, Graphics, NvidiaGpu, Source, Terminal, Torch, TorchDevice
from cifartui.machine.finding import Finding, State
from cifartui.machine.gpu_rules import brings_code

H100 = "NVIDIA H100 80GB HBM3"
COMPUTER = Computer(
    cpu="A CPU",
    cores=8,
    usable_cores=8,
    memory=32 * 2**30,
    available_memory=24 * 2**30,
    shared_memory=16 * 2**30,
    data_folder="/home/me/.local/share/cifartui",
    free_disk=50 * 10**9,
)
TERMINAL = Terminal(160, 45, "xterm-256color", colours=2**24, encoding="utf-8", locale="C.UTF-8")
GRAPHICS = Graphics(
    nvidia_on_bus=("0000:01:00.0",),
    driver="580.65.06",
    driver_cuda="13.0",
    device_files=True,
    gpus=(NvidiaGpu(H100, "GPU-1"),),
)
TORCH = Torch(
    version="2.14.1+cu130",
    cuda="13.0",
    architectures=("sm_80", "sm_90", "sm_120"),
    devices=(TorchDevice("cpu", "A CPU", seconds=0.01), TorchDevice("cuda:0", H100, "sm_90", 80 * 2**30, 0.2)),
    chosen="cuda",
    chosen_name=H100,
    reason="the only CUDA device",
)
NO_GPU = msgspec.structs.replace(TORCH, devices=TORCH.devices[:1], says="no NVIDIA driver answers", chosen="cpu")
SOURCES = (Source("www.cs.toronto.edu", 4, 0.4), Source("zenodo.org", 2, 0.2))
HEALTHY = Facts(COMPUTER, TERMINAL, GRAPHICS, TORCH, SOURCES)


def facts(**parts: object) -> Facts:
    """Facts of a healthy machine with a GPU, but for the fields given by part and name: `computer__cores=2`."""
    changed: dict[str, dict[str, object]] = {}
    whole = {name: value for name, value in parts.items() if "__" not in name}
    for name, value in parts.items():
        if "__" in name:
            part, _, field = name.partition("__")
            changed.setdefault(part, {})[field] = value
    built = msgspec.structs.replace(HEALTHY, **whole)
    return msgspec.structs.replace(
        built,
        **{part: msgspec.structs.replace(getattr(built, part), **fields) for part, fields in changed.items()},
    )


def found(given: Facts, subject: str) -> Finding:
    """The finding of a subject."""
    findings = [finding for finding in judge(given) if finding.subject == subject]
    assert len(findings) == 1, [finding.subject for finding in judge(given)]
    return findings[0]


IN_THE_WAY: list[tuple[str, Facts, str, State, str, str]] = [
    (
        "no driver",
        facts(torch=NO_GPU, graphics=Graphics(nvidia_on_bus=("0000:01:00.0",), nvml="no driver")),
        "GPU",
        "problem",
        "without a driver",
        "install NVIDIA's driver",
    ),
    (
        "no driver, in its own finding",
        facts(torch=NO_GPU, graphics=Graphics(nvidia_on_bus=("0000:01:00.0",), nvml="no library")),
        "NVIDIA driver",
        "problem",
        "not loaded",
        "install NVIDIA's driver",
    ),
    (
        "driver of the host, GPU not handed in",
        facts(torch=NO_GPU, graphics__device_files=False, graphics__container=True, graphics__gpus=()),
        "GPU",
        "problem",
        "not handed to this program",
        "docker run --gpus all",
    ),
    (
        "old driver, as NVML tells",
        facts(torch=NO_GPU, graphics__driver="535.54.03", graphics__driver_cuda="12.2"),
        "GPU",
        "problem",
        "driver is too old",
        "update the driver to one for CUDA 13.0",
    ),
    (
        "old driver, as PyTorch says",
        facts(
            torch=msgspec.structs.replace(NO_GPU, says="The NVIDIA driver on your system is too old"),
            graphics__driver="470.57.02",
            graphics__driver_cuda="",
            graphics__nvml="no library",
        ),
        "GPU",
        "problem",
        "driver is too old",
        "or install another build of PyTorch",
    ),
    *(
        (
            f"hidden by {value!r}",
            facts(torch=NO_GPU, graphics__visible={"CUDA_VISIBLE_DEVICES": value}),
            "GPU",
            "problem",
            "hidden from this program",
            "unset CUDA_VISIBLE_DEVICES",
        )
        for value in ("", "-1")
    ),
    (
        "a number that no GPU has",
        facts(torch=NO_GPU, graphics__visible={"CUDA_VISIBLE_DEVICES": "7"}),
        "GPU",
        "problem",
        "hidden from this program",
        "CUDA_VISIBLE_DEVICES=0",
    ),
    (
        "a build for CPUs",
        facts(torch=msgspec.structs.replace(NO_GPU, version="2.14.1+cpu", cuda="")),
        "GPU",
        "problem",
        f"{H100} is not used",
        "pip install --upgrade torch",
    ),
    (
        "an architecture that the wheel has no code for",
        facts(
            torch__devices=(
                TorchDevice("cpu", "A CPU", seconds=0.01),
                TorchDevice("cuda:0", "NVIDIA GTX 1080", "sm_61", obstacle="no kernel image is available"),
            )
        ),
        "cuda:0",
        "problem",
        "no code for it",
        "an older one",
    ),
    (
        "a device that fails",
        facts(torch__devices=(TorchDevice("cuda:0", H100, "sm_90", obstacle="CUDA error: unspecified"),)),
        "cuda:0",
        "problem",
        "cannot train",
        "--device cpu",
    ),
    ("no NVML", facts(graphics__nvml="no library"), "GPU sensors", "warning", '"n/a"', "NVIDIA_DRIVER_CAPABILITIES"),
    (
        "no nvidia-ml-py",
        facts(graphics__nvml="no package"),
        "GPU sensors",
        "warning",
        '"n/a"',
        "pip install nvidia-ml-py",
    ),
    ("NVML lost", facts(graphics__nvml="lost", graphics__gpus=()), "GPU sensors", "problem", '"n/a"', "Xid"),
    (
        "NVML lost in a container",
        facts(graphics__nvml="other", graphics__nvml_says="Unknown Error"),
        "GPU sensors",
        "warning",
        '"n/a"',
        "restart the container",
    ),
    (
        "driver updated",
        facts(graphics__nvml="version mismatch"),
        "GPU sensors",
        "warning",
        '"n/a"',
        "restart the machine",
    ),
    ("NVML hangs", facts(graphics__nvml="no answer"), "GPU sensors", "warning", '"n/a"', "Xid"),
    (
        "a reading that is not supported",
        facts(graphics__gpus=(NvidiaGpu(H100, not_known={"power": "this GPU does not tell it"}),)),
        "GPU sensors",
        "warning",
        "does not tell power",
        "training is the same",
    ),
    (
        "MIG",
        facts(graphics__gpus=(NvidiaGpu(H100, mig=True, instances=2),)),
        "MIG",
        "warning",
        "split into 2 instances",
        "CUDA_VISIBLE_DEVICES=MIG-",
    ),
    (
        "MIG without an instance",
        facts(torch=NO_GPU, graphics__gpus=(NvidiaGpu(H100, mig=True),)),
        "GPU",
        "problem",
        "split into no instances",
        "nvidia-smi mig -cgi",
    ),
    (
        "a share of NVIDIA's Multi-Process Service",
        facts(graphics__multi_process=True, graphics__multi_process_share="25"),
        "NVIDIA MPS",
        "warning",
        "25 % of each GPU",
        "raise it",
    ),
    (
        "an AMD GPU and a PyTorch without ROCm",
        facts(torch=NO_GPU, graphics=Graphics(amd_on_bus=("0000:03:00.0",), amd_driver=True, nvml="no library")),
        "GPU",
        "problem",
        "the AMD GPU is not used",
        "build for ROCm",
    ),
    (
        "a Mac whose system is too old",
        facts(torch=NO_GPU, graphics=Graphics(apple=True, nvml="no library")),
        "GPU",
        "problem",
        "the Mac's cannot be used",
        "update macOS",
    ),
    (
        "no GPU at all",
        facts(torch=NO_GPU, graphics=Graphics(nvml="no library")),
        "GPU",
        "does not apply",
        "none",
        "nothing to do",
    ),
    (
        "no PyTorch",
        facts(torch=Torch(trouble="loading PyTorch took longer than 120 s")),
        "PyTorch",
        "problem",
        "cannot be used",
        "pip install torch",
    ),
    (
        "a device that hangs",
        facts(torch__trouble="trying NVIDIA H100 took longer than 120 s"),
        "devices",
        "problem",
        "not all could be tried",
        "CUDA_VISIBLE_DEVICES=-1",
    ),
    ("half a core", facts(computer__allowed_cores=0.5), "CPU limit", "problem", "0.5 of 8 cores", "--cpus=2"),
    ("two of eight cores", facts(computer__allowed_cores=2.0), "CPU limit", "warning", "2 of 8 cores", "--cpus"),
    ("affinity", facts(computer__usable_cores=2), "CPU", "warning", "2 of them", "taskset"),
    (
        "64 MB of shared memory",
        facts(computer__shared_memory=64 * 2**20),
        "shared memory",
        "warning",
        "67",
        "--shm-size",
    ),
    (
        "memory of a small container",
        facts(computer__allowed_memory=2**30),
        "memory",
        "warning",
        "allowed",
        "--memory=4g",
    ),
    ("a full memory", facts(computer__available_memory=2**29), "memory", "problem", "537 MB of", "end what"),
    ("a full disk", facts(computer__free_disk=10**8), "disk", "problem", "100 MB free", "CIFARTUI_HOME"),
    (
        "a folder that cannot be written",
        facts(computer__disk_obstacle="it may not be written to"),
        "disk",
        "problem",
        "cannot be used",
        "CIFARTUI_HOME",
    ),
    (
        "logging out",
        facts(computer__logout_ends=LogoutEnds("the login manager ends it", "run `loginctl enable-linger` once")),
        "logging out",
        "warning",
        "ends a run",
        "enable-linger",
    ),
    ("a small terminal", facts(terminal__columns=60), "terminal size", "warning", "60 × 45", "larger"),
    (
        "16 colours",
        facts(terminal__colours=16, terminal__kind="xterm"),
        "colours",
        "warning",
        "16",
        "COLORTERM=truecolor",
    ),
    ("no colours", facts(terminal__colours_switched_off=True), "colours", "warning", "none", "unset NO_COLOR"),
    ("Latin-1", facts(terminal__encoding="iso8859-1"), "characters", "warning", "iso8859-1", "LANG=C.UTF-8"),
    (
        "no way out",
        facts(sources=(Source("zenodo.org", 2, obstacle="cannot be reached"),)),
        "data sources",
        "problem",
        "none of 1",
        "HTTPS_PROXY",
    ),
    (
        "one source of two",
        facts(sources=(*SOURCES, Source("example.org", 1, obstacle="answers 404"))),
        "source example.org",
        "warning",
        "not all",
        "another source",
    ),
]


@pytest.mark.parametrize(
    ("given", "subject", "state", "what", "remedy"),
    [case[1:] for case in IN_THE_WAY],
    ids=[case[0] for case in IN_THE_WAY],
)
def test_what_is_in_the_way_is_found_and_its_remedy_named(
    given: Facts, subject: str, state: State, what: str, remedy: str
) -> None:
    """For each fact that is not as it should be: its finding, what to do, and a cause."""
    finding = found(given, subject)
    assert finding.state == state
    assert what in finding.finding
    assert remedy in finding.remedy
    assert finding.cause


def test_healthy_machine_has_nothing_in_the_way() -> None:
    """All is ok there but what other machines have; nothing is found twice."""
    findings = judge(HEALTHY)
    assert {finding.state for finding in findings} == {"ok", "does not apply"}
    assert [finding.subject for finding in findings if finding.state == "does not apply"] == ["ROCm"]
    subjects = [finding.subject for finding in findings]
    assert len(subjects) == len(set(subjects))
    assert "ready to train" in found(HEALTHY, "GPU").finding


def test_findings_keep_their_contract() -> None:
    """ok says whether all is well; what is not ok has its cause and what to do; all of it fits a terminal's line."""
    for finding in chain.from_iterable(judge(case[1]) for case in IN_THE_WAY):
        assert finding.ok == (finding.state == "ok")
        assert finding.ok or (finding.cause and finding.remedy)
        assert finding.finding.isprintable()


def test_parts_that_were_not_looked_at_are_left_out() -> None:
    """What PyTorch offers is judged once the drivers are known as well."""
    assert judge(Facts()) == []
    assert judge(Facts(torch=TORCH)) == []
    assert {finding.subject for finding in judge(Facts(sources=SOURCES))} == {
        "source www.cs.toronto.edu",
        "source zenodo.org",
    }


@pytest.mark.parametrize(
    ("brought", "wanted", "runs"),
    [
        (("sm_80",), "sm_86", True),
        (("sm_86",), "sm_80", False),
        (("sm_90",), "sm_100", False),
        (("sm_90", "compute_90"), "sm_120", True),
        (("sm_100", "sm_120"), "sm_121", True),
        (("sm_90a",), "sm_90", True),
        (("sm_100a", "compute_100a"), "sm_103", False),
        (("gfx90a", "gfx942"), "gfx942", True),
        (("gfx90a",), "gfx1100", False),
    ],
)
def test_code_runs_on_its_generation(brought: tuple[str, ...], wanted: str, runs: bool) -> None:
    """Binary code within a generation and upwards, intermediate code on all that follows, AMD's on its own kind."""
    assert brings_code(brought, wanted) == runs
