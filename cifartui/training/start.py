"""How a host takes a run up: what its command line says."""

import argparse
from pathlib import Path
from typing import NamedTuple


class Start(NamedTuple):
    """A start of a run, the first or a later one."""

    step: int | None = None
    """Of the checkpoint to go on from; None starts at the beginning."""
    epochs: int | None = None
    """How many the run shall have in all; None: as its recipe says."""
    now: bool = False
    """Whether it trains at once, though another run does."""
    hold: bool = False
    """Whether it waits for an answer where numbers or memory go wrong, instead of ending."""

    def arguments(self) -> list[str]:
        """As the host's command line takes it."""
        arguments = [] if self.step is None else ["--from", str(self.step)]
        arguments += [] if self.epochs is None else ["--epochs", str(self.epochs)]
        return arguments + ["--now"] * self.now + ["--hold"] * self.hold


def parse_start(arguments: list[str]) -> tuple[Path, Start]:
    """The run's folder and the start that a host's command line names; ends the process where it cannot be meant."""
    parser = argparse.ArgumentParser("python -m cifartui.training.host", description="Carry a run.")
    parser.add_argument("folder", type=Path, metavar="RUN_DIR")
    parser.add_argument("--from", type=int, dest="step", metavar="STEP")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--now", action="store_true")
    parser.add_argument("--hold", action="store_true")
    parsed = parser.parse_args(arguments)
    if not parsed.folder.is_dir():
        parser.error(f"{parsed.folder} is no folder")
    return parsed.folder.absolute(), Start(parsed.step, parsed.epochs, parsed.now, parsed.hold)
