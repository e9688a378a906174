"""The GPU as doctor finds it and as its sensors tell of it."""

import os
import time

import pytest
import torch

from cifartui.machine.diagnosis import judge, look_at_drivers, look_at_torch
from cifartui.machine.facts import Facts
from cifartui.machine.readings import GpuReadings, Watched
from cifartui.machine.sensors import Sensors
from cifartui.progress import finish
from cifartui.training.device import DeviceChoice, try_device

pytestmark = pytest.mark.gpu


def test_every_device_takes_two_steps(gpu: torch.device) -> None:
    """The proof on which a device is taken holds on all of them."""
    devices = [gpu] if gpu.type == "mps" else [torch.device("cuda", n) for n in range(torch.cuda.device_count())]
    for device in devices:
        assert try_device(device)[1] == ""


def test_doctor_finds_it_ready(choice: DeviceChoice) -> None:
    """With the driver, PyTorch's code for it and the proof; nothing of it is a problem."""
    facts = Facts(graphics=finish(look_at_drivers()), torch=finish(look_at_torch()))
    assert facts.torch is not None
    assert facts.torch.trouble == ""
    assert (facts.torch.chosen, facts.torch.chosen_name) == (choice.device, choice.name)
    findings = {finding.subject: finding for finding in judge(facts)}
    assert findings["GPU"].ok
    proofs = [finding for subject, finding in findings.items() if subject.startswith(choice.device)]
    assert proofs
    assert all(finding.ok for finding in proofs)


def test_sensors_follow_what_it_does(choice: DeviceChoice) -> None:
    """What it has in memory and does is told, or why not; the card is the one that PyTorch uses."""
    if not choice.uuid:
        pytest.skip("NVML is NVIDIA's")
    sensors = Sensors(Watched("a run", choice.device, choice.uuid, os.getpid()))
    numbers = torch.rand(4096, 4096, device="cuda")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        numbers = numbers @ numbers.softmax(dim=1)
        torch.cuda.synchronize()
    readings = sensors.read().device
    assert isinstance(readings, GpuReadings)
    for reading in (getattr(readings, name) for name in readings.__struct_fields__):
        assert (reading.value is None) == bool(reading.why_not)
    assert readings.memory.value is not None, readings.memory.why_not
    assert readings.memory.most is not None
    assert readings.memory.most == pytest.approx(torch.cuda.get_device_properties(0).total_memory, rel=0.05)
    assert readings.memory.value >= torch.cuda.memory_allocated()
    if readings.load.value is not None:
        assert readings.load.value > 0.1
    if readings.power.value is not None:
        assert readings.power.value > 1


def test_reading_it_costs_the_training_nothing(choice: DeviceChoice) -> None:
    """A reading takes far less than the second after which the next one comes."""
    if not choice.uuid:
        pytest.skip("NVML is NVIDIA's")
    sensors = Sensors(Watched("a run", choice.device, choice.uuid, os.getpid()))
    sensors.read()
    started = time.monotonic()
    for _ in range(10):
        sensors.read()
    assert time.monotonic() - started < 1
