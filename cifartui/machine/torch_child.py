"""The child process that asks torch for its devices and takes a step of training on each: torch may crash or hang.

Each line that it prints is `Torch` as far as it is known by then, or what it does now as `Progress`.
"""

from typing import Any

import msgspec

from cifartui.machine.facts import Torch, TorchDevice
from cifartui.progress import Progress
from cifartui.text import printable


def main() -> None:
    """Tell what torch is, then of each device in turn whether it trains, then which of them training takes."""
    _tell("loading PyTorch")
    try:
        import torch

        from cifartui.training import device as devices
    except (ImportError, OSError) as error:
        _answer(Torch(trouble=f"it cannot be loaded ({printable(str(error).strip().split(chr(10))[0], 200)})"))
        return
    says = devices.cuda_obstacle()
    found = Torch(
        version=str(torch.__version__),
        cuda=torch.version.cuda or "",
        rocm=torch.version.hip or "",
        architectures=_built_for(),
        says=says,
    )
    _answer(found)
    offered = [torch.device("cpu")]
    if not says:
        offered += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        offered.append(torch.device("mps"))
    for device in offered:
        title, properties = devices.device_title(device), devices.cuda_properties(device)
        _tell(f"trying {title}")
        seconds, obstacle = devices.try_device(device)
        tried = TorchDevice(
            device=str(device),
            name=title,
            architecture=_architecture(properties),
            memory=properties.total_memory if properties else None,
            seconds=None if obstacle else seconds,
            obstacle=obstacle,
        )
        found = msgspec.structs.replace(found, devices=(*found.devices, tried))
        _answer(found)
    choice = devices.choose_device("auto")
    _answer(msgspec.structs.replace(found, chosen=choice.device, chosen_name=choice.name, reason=choice.reason))


def _built_for() -> tuple[str, ...]:
    """The architectures that torch brings code for; asked like this it needs no GPU."""
    import torch

    flags = torch._C._cuda_getArchFlags() if hasattr(torch._C, "_cuda_getArchFlags") else None
    return tuple(flags.split()) if flags else ()


def _architecture(properties: Any | None) -> str:
    """Of a CUDA or ROCm device, as its compiler calls it."""
    import torch

    if properties is None:
        return ""
    if torch.version.hip:
        return printable(str(properties.gcnArchName).partition(":")[0], 40)
    return f"sm_{properties.major}{properties.minor}"


def _tell(activity: str) -> None:
    _answer(Progress(activity, 0))


def _answer(line: Torch | Progress) -> None:
    print(msgspec.json.encode(line).decode(), flush=True)


if __name__ == "__main__":
    main()
