"""The list of all runs' checkpoints with their results."""

from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList

from cifartui.evaluation.store import JudgedCheckpoint, why_gone
from cifartui.text import cells, column, printable, shortened
from cifartui.training.run.checkpoints import best_checkpoint
from cifartui.tui.view import short_id

PINNED = "◆"
LINE_CELLS = 23
"""Of a line in the list: the step, its marks, its accuracy."""
ID_END = 4
"""Letters at the end of a run's id that tell it from others: `-k3f`."""


class CheckpointList(OptionList):
    """The checkpoints of all runs; its keys also turn the pages of the result beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select",
            "evaluate",
            tooltip="Evaluate the checkpoint under the cursor on the test images",
            id="evaluation.evaluate",
        ),
        Binding("pagedown", "turn(1, 0)", "more", tooltip="Further classes", id="evaluation.down"),
        Binding("pageup", "turn(-1, 0)", "more", tooltip="The classes before", show=False, id="evaluation.up"),
        Binding("right", "turn(0, 1)", "columns", tooltip="Further columns", id="evaluation.right", key_display="←→"),
        Binding("left", "turn(0, -1)", "columns", tooltip="The columns before", show=False, id="evaluation.left"),
    ]

    @dataclass
    class Turned(Message):
        """Other rows or columns of the result are wanted."""

        rows: int
        """Pages down, or up where it is negative."""
        columns: int
        """Pages to the right, or to the left where it is negative."""

    has_more_rows = False
    """Whether the result has classes that are not in view."""
    has_more_columns = False

    def action_turn(self, rows: int, columns: int) -> None:
        """Ask for other rows or columns."""
        self.post_message(self.Turned(rows, columns))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys for what is not in view are there only where something is not."""
        if action == "turn":
            return self.has_more_rows if parameters[0] else self.has_more_columns
        return True


def line_id(checkpoint: JudgedCheckpoint) -> str:
    """What tells a checkpoint from every other, those that are gone included."""
    return f"{checkpoint.reference} {checkpoint.facts.sha256}"


def list_lines(judged: list[JudgedCheckpoint]) -> list[tuple[str | None, str]]:
    """A line for each run, without an id, and under it its checkpoints: step, marks, accuracy."""
    lines: list[tuple[str | None, str]] = []
    for _, group in groupby(judged, key=lambda checkpoint: checkpoint.run.id):
        of_run = list(group)
        there = [checkpoint.facts for checkpoint in reversed(of_run) if checkpoint.is_there]
        best, last = best_checkpoint(there), there[-1] if there else None
        lines.append((None, run_line(of_run[0].run.id)))
        for checkpoint in of_run:
            facts, result = checkpoint.facts, checkpoint.result
            marks = [mark for mark, is_so in (("★", facts == best), ("last", facts == last)) if is_so]
            marked = " ".join(marks) if checkpoint.is_there else "gone"
            accuracy = f"{result.evaluation.accuracy:.1%}" if result else ""
            lines.append(
                (line_id(checkpoint), f"{PINNED * facts.pinned:1}{facts.step:>8,} {column(marked, 6)} {accuracy:>6}")
            )
    return lines


def run_line(run: str) -> str:
    """A run's name; of a long one the beginning and the letters that no other run has."""
    name = printable(short_id(run), 200)
    return name if cells(name) <= LINE_CELLS else shortened(name[:-ID_END], LINE_CELLS - ID_END) + name[-ID_END:]


def legend(judged: list[JudgedCheckpoint]) -> str:
    """What the marks in the list mean, those that are there."""
    meanings = (
        (f"{PINNED} pinned: stays", any(one.facts.pinned for one in judged)),
        ("★ best on held-out images", any(one.facts.validation_accuracy is not None for one in judged)),
        ("gone: only its result", not all(one.is_there for one in judged)),
    )
    return "\n".join(meaning for meaning, is_there in meanings if is_there)


def gone_text(checkpoint: JudgedCheckpoint) -> str:
    """That a checkpoint is not there any more, and why."""
    why = why_gone(checkpoint)
    return f"its file is gone{f' ({why})' if why else ''}; its result is kept"
