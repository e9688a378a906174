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
    ],
)
def test_core_loads_no_terminal_library(module: str) -> None:
    """The core comes without Textual and Rich."""
    assert not modules_after(f"import {module}") & {"textual", "rich", "plotext"}


def test_screens_load_no_torch() -> None:
    """App and all four screens come without torch, and the first ones without numpy."""
    program = "import cifartui.tui.app"
    for screen in ("dataset", "model", "training", "evaluation"):
        program += f"\nimport cifartui.tui.screens.{screen}"
    assert not modules_after(program) & {"torch", "torchvision", "numpy", "PIL"}


def test_importing_the_package_starts_nothing() -> None:
    """`import cifartui` loads nothing but itself."""
    assert not modules_after("import cifartui") & {"textual", "rich", "torch", "numpy", "msgspec"}
