"""What torch's errors say of the device: that its memory is full, or that it failed."""

import re

import torch

from cifartui.text import printable

_OUT_OF_MEMORY = re.compile(
    r"out of memory|DefaultCPUAllocator|std::bad_alloc|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
_DEVICE_FAILED = re.compile(
    r"\b(CUDA|HIP|cuDNN|cuBLAS|NVML|NCCL)\b.* error|\b(CUDNN|CUBLAS|CUSOLVER)_STATUS_|command buffer exited with error",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is full, be it the GPU's or the computer's; nothing is broken then."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))


def device_failure(error: BaseException, device: torch.device) -> str | None:
    """A sentence if an error means that the device failed; what is in its memory cannot be trusted or read any more."""
    if is_out_of_memory(error):
        return None
    text = str(error)
    on_gpu = isinstance(error, RuntimeError) and device.type != "cpu" and bool(_DEVICE_FAILED.search(text))
    if not on_gpu and not isinstance(error, torch.AcceleratorError):
        return None
    what = printable(text.strip().split("\n")[0], 200).rstrip(".") or type(error).__name__
    return f"the device {device} failed ({what}); check it (cifartui doctor), then go on from the last checkpoint"
