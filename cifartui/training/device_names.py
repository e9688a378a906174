"""The words by which a device is asked for, for those that do without torch."""

from typing import Literal, get_args

DeviceType = Literal["cpu", "cuda", "mps"]
"""What torch calls the devices on which training runs; AMD's GPUs are `cuda` to it as well."""
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICE_NAMES: tuple[DeviceName, ...] = get_args(DeviceName)
HIDING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""Environment variables that say which GPUs a program may see."""
