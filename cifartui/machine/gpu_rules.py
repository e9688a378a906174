"""What follows from the facts about GPUs: what stands between one that is there and a training that uses it."""

import re

from cifartui.machine.facts import Graphics, NvidiaGpu, Torch, TorchDevice
from cifartui.machine.finding import Finding, fine, listed, not_here, problem, warning
from cifartui.machine.nvml import TROUBLES
from cifartui.text import size

INSTALL = "install another build of PyTorch (pip install --upgrade torch; its web page names the one for each driver)"
IN_CONTAINER = "start the container with its GPUs (docker run --gpus all)"


def judge_torch(torch: Torch, graphics: Graphics) -> list[Finding]:
    """PyTorch itself, whether it has a GPU and why not, and the proof of each device."""
    if torch.trouble and not torch.version:
        remedy = "install it again (pip install torch), or see to the limits of memory and time"
        return [problem("PyTorch", "cannot be used", torch.trouble, remedy)]
    built = f"CUDA {torch.cuda}" if torch.cuda else f"ROCm {torch.rocm}" if torch.rocm else "CPUs only"
    found = [fine("PyTorch", f"{torch.version}, built for {built}")]
    if torch.trouble:
        remedy = (
            "see what the system says of it (dmesg), and hide that GPU (CUDA_VISIBLE_DEVICES=-1) to train meanwhile"
        )
        found.append(problem("devices", "not all could be tried", torch.trouble, remedy))
    return [*found, _gpu(torch, graphics), *(_proof(device, torch) for device in torch.devices)]


def judge_graphics(graphics: Graphics) -> list[Finding]:
    """Drivers, sensors and how GPUs are shared out."""
    return [_driver(graphics), _nvml(graphics), *_mig(graphics), *_multi_process(graphics), _rocm(graphics)]


# WHETHER THERE IS A GPU TO TRAIN ON


def _gpu(torch: Torch, graphics: Graphics) -> Finding:
    offered = [device for device in torch.devices if device.device != "cpu"]
    working = [device for device in offered if not device.obstacle]
    if working:
        return fine("GPU", f"{listed(device.name for device in working)}: ready to train")
    if offered:
        return problem(
            "GPU", "none can be used", f"PyTorch offers {len(offered)}, none trains", "see the next findings"
        )
    has_nvidia = bool(graphics.nvidia_on_bus or graphics.gpus or graphics.driver or graphics.device_files)
    has_amd = bool(graphics.amd_on_bus or graphics.amd_driver)
    hidden = next((name for name, value in graphics.visible.items() if value.strip() in ("", "-1")), "")
    if hidden and (has_nvidia or has_amd):
        return problem(
            "GPU",
            "hidden from this program",
            f"{hidden}={graphics.visible[hidden]!r} hides every GPU",
            f"unset {hidden}, or name one: {hidden}=0",
        )
    if has_nvidia:
        return _unused_nvidia(torch, graphics)
    if has_amd:
        return _unused_amd(torch, graphics)
    if graphics.apple:
        return problem("GPU", "the Mac's cannot be used", torch.says, "update macOS, and PyTorch")
    return not_here(
        "GPU",
        "none",
        f"no NVIDIA, AMD or Apple GPU is seen here, and PyTorch offers none: {torch.says}",
        "nothing to do if this machine has none; in a virtual machine or container, hand it one",
    )


def _unused_nvidia(torch: Torch, graphics: Graphics) -> Finding:
    name = listed(gpu.name for gpu in graphics.gpus) or "an NVIDIA GPU"
    if not torch.cuda:
        return problem("GPU", f"{name} is not used", f"PyTorch {torch.version} was built without CUDA", INSTALL)
    if not graphics.driver and not graphics.device_files:
        return problem(
            "GPU",
            f"{name} is there (PCI {listed(graphics.nvidia_on_bus)}) without a driver",
            "no NVIDIA driver is loaded",
            "install NVIDIA's driver and restart" + f", or, if the host has it, {IN_CONTAINER}" * graphics.container,
        )
    if not graphics.device_files:
        return problem(
            "GPU",
            "not handed to this program",
            f"the driver {graphics.driver} is loaded, but its devices (/dev/nvidia*) are not here",
            IN_CONTAINER if graphics.container else "load its devices (nvidia-modprobe -u), or restart",
        )
    if _too_old(torch, graphics):
        known = f"knows CUDA {graphics.driver_cuda} at most" if graphics.driver_cuda else "is older"
        return problem(
            "GPU",
            f"{name}: its driver is too old for this PyTorch",
            f"the driver {graphics.driver} {known}, PyTorch {torch.version} was built for CUDA {torch.cuda}",
            f"update the driver to one for CUDA {torch.cuda}, or {INSTALL}",
        )
    shown = graphics.visible.get("CUDA_VISIBLE_DEVICES")
    if shown is not None:
        return problem(
            "GPU",
            "hidden from this program",
            f"CUDA_VISIBLE_DEVICES={shown!r} names none of the {len(graphics.gpus)} that are here",
            "unset it, or name one that is: CUDA_VISIBLE_DEVICES=0",
        )
    if any(gpu.mig for gpu in graphics.gpus) and not any(gpu.instances for gpu in graphics.gpus):
        return problem("GPU", f"{name} is split into no instances", "MIG is on, and nothing was made of it", MAKE_ONE)
    return problem("GPU", f"{name} cannot be used", torch.says, "restart the machine or container; see nvidia-smi")


MAKE_ONE = "make an instance (nvidia-smi mig -cgi 0 -C), or switch MIG off (nvidia-smi -mig 0)"


def _too_old(torch: Torch, graphics: Graphics) -> bool:
    """Whether a driver cannot run what torch brings: within one major version of CUDA it can."""
    if "too old" in torch.says:
        return True
    wanted, known = torch.cuda.partition(".")[0], graphics.driver_cuda.partition(".")[0]
    return wanted.isdecimal() and known.isdecimal() and int(known) < int(wanted)


def _unused_amd(torch: Torch, graphics: Graphics) -> Finding:
    if not torch.rocm:
        cause, remedy = f"PyTorch {torch.version} was built without ROCm", "install PyTorch's build for ROCm"
    elif not graphics.amd_driver:
        cause, remedy = (
            "AMD's driver is not loaded (/dev/kfd)",
            "install amdgpu and ROCm, or hand /dev/kfd and /dev/dri in",
        )
    else:
        cause, remedy = torch.says, "see whether your user is in the groups render and video, and rocminfo"
    return problem("GPU", "the AMD GPU is not used", cause, remedy)


# EACH DEVICE


def _proof(device: TorchDevice, torch: Torch) -> Finding:
    name = f"{device.name}{f', {size(device.memory)}' if device.memory else ''}"
    if device.seconds is not None:
        return fine(device.device, f"{name}: two steps of training, {1e3 * device.seconds:,.0f} ms with loading")
    if device.architecture and torch.architectures and not brings_code(torch.architectures, device.architecture):
        return problem(
            device.device,
            f"{name}: this PyTorch has no code for it",
            f"it is {device.architecture}, PyTorch {torch.version} was built for {listed(torch.architectures)}",
            f"{INSTALL}; for GPUs that are no longer supported, an older one",
        )
    return problem(
        device.device,
        f"{name} cannot train",
        f"two steps of training failed: {device.obstacle}",
        "see nvidia-smi and dmesg; restart it, or train with --device cpu",
    )


def brings_code(architectures: tuple[str, ...], wanted: str) -> bool:
    """Whether code for one of these architectures runs on a GPU of the architecture `wanted`.

    NVIDIA's binary code (`sm_86`) runs on the same generation from its own number on, its intermediate code
    (`compute_86`) on everything from there on; what ends in `a`, and AMD's, on exactly what it was made for.
    """
    if not (asked := re.fullmatch(r"sm_(\d+)(\d)", wanted)):
        return wanted in architectures
    major, minor = int(asked[1]), int(asked[2])
    for architecture in architectures:
        if not (brought := re.fullmatch(r"(sm|compute)_(\d+)(\d)(a?)f?", architecture)):
            continue
        its_major, its_minor = int(brought[2]), int(brought[3])
        if brought[4]:
            if (its_major, its_minor) == (major, minor):
                return True
            continue
        if brought[1] == "sm" and its_major == major and its_minor <= minor:
            return True
        if brought[1] == "compute" and (its_major, its_minor) <= (major, minor):
            return True
    return False


# DRIVERS AND SENSORS


def _driver(graphics: Graphics) -> Finding:
    if graphics.driver:
        newest = f", for CUDA up to {graphics.driver_cuda}" if graphics.driver_cuda else ""
        return fine("NVIDIA driver", f"{graphics.driver}{newest}")
    if graphics.nvidia_on_bus:
        remedy = "install NVIDIA's driver; in a container, on its host"
        return problem(
            "NVIDIA driver", "not loaded", f"the GPU at PCI {listed(graphics.nvidia_on_bus)} needs it", remedy
        )
    return not_here("NVIDIA driver", "not loaded", "no NVIDIA GPU is seen here")


def _nvml(graphics: Graphics) -> Finding:
    subject = "GPU sensors"
    if not graphics.nvml:
        missing = {name: why for gpu in graphics.gpus for name, why in gpu.not_known.items()}
        if not missing:
            return fine(subject, "NVML tells load, memory, temperature, power and clock")
        said = f"NVML does not tell {listed(missing)}"
        return warning(
            subject, said, listed(missing.values()), 'nothing to do: it is shown as "n/a", training is the same'
        )
    cause = TROUBLES[graphics.nvml] + (f" ({graphics.nvml_says})" if graphics.nvml in ("other", "lost") else "")
    remedy = {
        "no package": "pip install nvidia-ml-py",
        "no library": "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility, or install the driver",
        "no driver": "load it (modprobe nvidia), or install it",
        "version mismatch": "restart the machine, or load the new driver",
        "lost": "look for Xid in dmesg; reset the GPU (nvidia-smi --gpu-reset) or restart the machine",
        "no permission": "ask who runs this machine for the right to read it",
        "no answer": "look for Xid in dmesg; restart the machine",
    }.get(graphics.nvml, "restart the container: it loses NVML when its host reloads systemd; training is the same")
    if not (graphics.nvidia_on_bus or graphics.driver or graphics.device_files):
        return not_here(subject, "none", "no NVIDIA GPU is seen here, whose driver would tell them")
    make = problem if graphics.nvml == "lost" else warning
    return make(subject, 'cannot be read: load, memory, temperature, power and clock are "n/a"', cause, remedy)


def _mig(graphics: Graphics) -> list[Finding]:
    split: list[NvidiaGpu] = [gpu for gpu in graphics.gpus if gpu.mig]
    if not split:
        return []
    names, instances = listed(gpu.name for gpu in split), sum(gpu.instances for gpu in split)
    if not instances:
        return [
            problem("MIG", f"{names} is split into no instances", "MIG is on, and nothing was made of it", MAKE_ONE)
        ]
    return [
        warning(
            "MIG",
            f"{names} is split into {instances} instance{'s' * (instances != 1)}, of which PyTorch uses one",
            'NVML cannot tell the load of an instance; it is shown as "n/a"',
            "nothing to do for training; CUDA_VISIBLE_DEVICES=MIG-… chooses the instance",
        )
    ]


def _multi_process(graphics: Graphics) -> list[Finding]:
    if not graphics.multi_process:
        return []
    share = graphics.multi_process_share
    if not share or share == "100":
        return [fine("NVIDIA MPS", "shares the GPUs out between programs")]
    return [
        warning(
            "NVIDIA MPS",
            f"gives this program {share} % of each GPU",
            f"CUDA_MPS_ACTIVE_THREAD_PERCENTAGE={share}",
            "raise it, if you may have more",
        )
    ]


def _rocm(graphics: Graphics) -> Finding:
    if graphics.amd_driver:
        return fine("ROCm", "AMD's driver is loaded; its sensors are not read")
    if graphics.amd_on_bus:
        remedy = "install amdgpu and ROCm; in a container, hand in /dev/kfd and /dev/dri"
        return problem("ROCm", "AMD's driver is not loaded", f"GPU at PCI {listed(graphics.amd_on_bus)}", remedy)
    return not_here("ROCm", "no AMD GPU", "none is seen here")
