"""The words by which a device is asked for, for those that do without torch."""

from typing import Literal, get_args

DeviceName = Literal["auto", "cpu", "cuda"]
DEVICE_NAMES: tuple[DeviceName, ...] = get_args(DeviceName)
