"""What every kind of accelerator has, NVIDIA's, AMD's or Apple's, but torch spells differently."""

import torch


def allocated_memory(device: torch.device) -> int | None:
    """Bytes that tensors take on an accelerator; None on a CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return torch.mps.current_allocated_memory() if device.type == "mps" else None


def empty_cache(device: torch.device) -> None:
    """Give memory that no tensor takes back to the accelerator."""
    if device.type != "cpu":
        torch.get_device_module(device).empty_cache()


def generator_state(device: torch.device) -> torch.Tensor | None:
    """The state of an accelerator's random generator; None on a CPU, whose is torch's own."""
    if device.type == "cpu":
        return None
    state: torch.Tensor = torch.get_device_module(device).get_rng_state(device)
    return state


def set_generator_state(device: torch.device, state: torch.Tensor | None) -> None:
    """Take what `generator_state` gave."""
    if state is not None:
        torch.get_device_module(device).set_rng_state(state, device)
