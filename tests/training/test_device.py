"""Which device is taken, and why not another."""

import pytest
import torch

from cifartui.errors import CifartuiError
from cifartui.training import device
from cifartui.training.device import choose_device, cuda_obstacle, hiding_variable, try_device


def test_two_steps_prove_a_device() -> None:
    """The CPU takes them; a device without numbers fails, with what torch says."""
    seconds, obstacle = try_device(torch.device("cpu"))
    assert seconds > 0
    assert obstacle == ""
    assert try_device(torch.device("meta"))[1]


def test_update_that_ignores_its_flag_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that was not finite would be applied there."""
    step = torch.optim.SGD.step

    def heedless(self: torch.optim.SGD) -> None:
        del self.found_inf
        step(self)

    monkeypatch.setattr(torch.optim.SGD, "step", heedless)
    assert "flagged as not finite" in try_device(torch.device("cpu"))[1]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_accelerator_that_was_asked_for_and_is_not_there(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No CPU in its place: a sentence that says why and what to do."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(CifartuiError, match=r"GPU can be used: .+; mend that, or train with --device cpu"):
        choose_device("cuda" if kind == "cuda" else "mps")


def test_accelerator_that_fails_its_steps_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU is taken, and why is said."""
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(device, "cuda_obstacle", lambda: "no NVIDIA driver answers")
    monkeypatch.setattr(device, "try_device", lambda tried: (0.1, "it broke" if tried.type == "mps" else ""))
    choice = choose_device("auto")
    assert choice.device == "cpu"
    assert choice.reason == "no GPU can be used: no NVIDIA driver answers; a test step on Apple GPU failed (it broke)"
    monkeypatch.setattr(device, "try_device", lambda tried: (0.1, ""))
    assert (choose_device("auto").device, choose_device("auto").reason) == ("mps", "the GPU of this Mac")


def test_gpu_that_cannot_even_be_opened_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and whatever else is asked of it fails: the CPU is taken, and why is said."""

    def refuse(_: object) -> None:
        raise RuntimeError("Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", refuse)
    monkeypatch.setattr(device, "cuda_obstacle", lambda: "")
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    choice = choose_device("auto")
    assert choice.device == "cpu"
    assert choice.reason.startswith("no GPU can be used: a test step on cuda:0 failed (")


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, ""),
        ({"CUDA_VISIBLE_DEVICES": "0"}, ""),
        ({"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES"),
        ({"HIP_VISIBLE_DEVICES": " "}, "HIP_VISIBLE_DEVICES"),
    ],
)
def test_variables_that_hide_every_gpu(environment: dict[str, str], variable: str) -> None:
    """Nothing and -1 name none."""
    assert hiding_variable(environment) == variable
    if variable and (torch.version.cuda or torch.version.hip):
        assert cuda_obstacle(environment) == f"{variable}={environment[variable]!r} hides every GPU"
