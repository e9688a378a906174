"""Who may know whom: checked where modules are really loaded, beside the import contracts."""

import subprocess
import sys

import pytest


def modules_after(program: str) -> set[str]:
    """The top-level modules loaded after a program ran."""
    shown = f"{program}\nimport sys; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "cifartui.dataset.importing",
        "cifartui.model.summary",
        "cifartui.training.loop",
        "cifartui.training.host",
        "cifartui.evaluation.evaluate",
        "cifartui.machine.sensors",
    ],
)
def test_core_loads_no_terminal_library(module: str) -> None:
    """The core comes without Textual and Rich."""
    assert not modules_after(f"import {module}") & {"textual", "rich"}


def test_screens_load_no_torch() -> None:
    """App, the four screens and that of the machine come without torch, and the first ones without numpy."""
    program = "import cifartui.tui.app"
    for screen in ("dataset", "model", "training", "evaluation", "machine"):
        program += f"\nimport cifartui.tui.screens.{screen}"
    assert not modules_after(program) & {"torch", "torchvision", "numpy", "PIL"}


def test_machine_is_looked_at_without_torch() -> None:
    """PyTorch may be what is broken; a child process loads it."""
    assert not modules_after("import cifartui.machine.diagnosis, cifartui.machine.sensors") & {"torch", "torchvision"}


def test_importing_the_package_starts_nothing() -> None:
    """`import cifartui` loads nothing but itself."""
    assert not modules_after("import cifartui") & {"textual", "rich", "torch", "numpy", "msgspec"}
