"""The GPU of this machine, or why there is none."""

import gc
from collections.abc import Iterator

import pytest
import torch

from cifartui.training.device import DeviceChoice, choose_device


@pytest.fixture(scope="session")
def choice() -> DeviceChoice:
    """The accelerator that training takes by itself; skips where it takes the CPU."""
    chosen = choose_device("auto")
    if chosen.device == "cpu":
        pytest.skip(chosen.reason)
    return chosen


@pytest.fixture
def gpu(choice: DeviceChoice) -> torch.device:
    """The accelerator."""
    return torch.device(choice.device)


@pytest.fixture
def cuda(gpu: torch.device) -> Iterator[torch.device]:
    """An NVIDIA or AMD GPU with nothing of former tests in its memory; skips on others."""
    if gpu.type != "cuda":
        pytest.skip(f"{gpu.type} keeps no statistics of its memory")
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    yield gpu
    torch.cuda.set_per_process_memory_fraction(1.0)
