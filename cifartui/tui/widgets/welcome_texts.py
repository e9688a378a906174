"""What the first start says of the program, the machine and the disk."""

from collections.abc import Sequence

from textual.content import Content

from cifartui.dataset.store import load_facts
from cifartui.errors import CifartuiError
from cifartui.machine.facts import Computer, Graphics
from cifartui.text import printable

WHAT = (
    "Train a network that tells airplanes from frogs, and see how it comes to do so: the pictures it learns from, each "
    "layer with its arithmetic, the loss as it falls, and which class it takes for which. All of it runs here, in "
    "PyTorch; a run goes on when you leave."
)
IS_ENOUGH = "which is enough: the first network is trained within a minute"


def gpu_text(graphics: Graphics | None, computer: Computer | None = None) -> Content:
    """Whether there is a GPU, from what the system knows without PyTorch; None: it is still being looked for."""
    if graphics is None:
        return Content.styled("looking for a GPU …", "$quiet")
    processor = f"{computer.cpu or 'the processor'}, {computer.usable_cores} cores" if computer else "the processor"
    if graphics.gpus:
        names = ", ".join(gpu.name for gpu in graphics.gpus)
        found, why = f"● {names}", "h on the training screen says whether PyTorch can use it"
    elif graphics.apple:
        found, why = "● Apple's GPU", "h on the training screen says whether PyTorch can use it"
    elif graphics.nvidia_on_bus or graphics.amd_on_bus or graphics.driver or graphics.amd_driver:
        found, why = "○ a GPU whose driver does not answer", "h on the training screen says why, and what to do"
    else:
        found, why = f"○ no GPU, so the CPU trains: {processor}", IS_ENOUGH
    return Content.assemble((printable(found), "bold"), "\n", printable(why))


def disk_text(names: Sequence[str]) -> Content:
    """The data sets that are here, with their pictures."""
    lines = [line for name in names if (line := _dataset_line(name))]
    if not lines:
        lines = ["○ sketches of ten classes, 5,000 + 1,000, are being drawn"]
    return Content("\n".join([*lines, "f on the next screen fetches CIFAR-10, i your own pictures"]))


def _dataset_line(name: str) -> str:
    try:
        facts = load_facts(name)
    except (CifartuiError, OSError):  # the dataset screen says what is wrong with it
        return ""
    images = f"{facts.train:,} + {facts.test:,} pictures, {len(facts.classes):,} classes"
    return printable(f"● {name}: {images}")


def ways_text() -> Content:
    """The two ways on."""
    return Content.assemble(
        ("enter", "bold $primary"),
        "  the whole path once, explained: pictures, network, training,\n"
        "       evaluation, on the sketches; esc leaves it at any time\n",
        ("esc", "bold $primary"),
        "    straight to work",
    )
