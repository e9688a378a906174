"""The list of all runs' checkpoints with their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cifartui.evaluation.store import JudgedCheckpoint, why_gone
from cifartui.lessons.topic import Topic
from cifartui.text import cells, column, printable, shortened, size
from cifartui.training.run.checkpoints import best_checkpoint
from cifartui.tui.view import short_id
from cifartui.tui.widgets.class_bars import ClassBars

PINNED = "◆"
LINE_CELLS, SIZE_CELLS = 23, 7
"""Of a line in the list: the step, its marks, its accuracy; of the size after them."""
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
        Binding("pagedown", "turn(1)", "more", tooltip="Further classes", id="evaluation.down"),
        Binding("pageup", "turn(-1)", "more", tooltip="The classes before", show=False, id="evaluation.up"),
    ]

    @dataclass
    class Turned(Message):
        """Other classes of the result are wanted."""

        pages: int
        """Down, or up where it is negative."""

    topic = Topic("evaluation.checkpoint")
    _judged: Sequence[JudgedCheckpoint] = ()
    _listed_lines: Sequence[tuple[str | None, Content]] | None = None

    def show(self, judged: Sequence[JudgedCheckpoint]) -> bool:
        """List checkpoints, the cursor staying on its own; whether that made a difference."""
        self._judged = judged
        lines = list_lines(judged, max(LINE_CELLS, self.scrollable_content_region.width))
        if lines == self._listed_lines:
            return False
        self._listed_lines = lines
        before = self.highlighted_option
        self.set_options(Option(text, id=identity, disabled=identity is None) for identity, text in lines)
        identities = [identity for identity, _ in lines]
        if lines:
            self.highlighted = identities.index(before.id) if before and before.id in identities else 1
        return True

    def on_resize(self) -> None:
        if self._listed_lines is not None:
            self.show(self._judged)

    def action_turn(self, pages: int) -> None:
        """Ask for other classes."""
        self.post_message(self.Turned(pages))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys for what is not in view are there only where something is not."""
        return action != "turn" or any(bars.has_more for bars in self.screen.query(ClassBars))


def line_id(checkpoint: JudgedCheckpoint) -> str:
    """What tells a checkpoint from every other, those that are gone included."""
    return f"{checkpoint.reference} {checkpoint.facts.sha256}"


def list_lines(judged: Sequence[JudgedCheckpoint], width: int) -> list[tuple[str | None, Content]]:
    """A line for each run, without an id, and under it its checkpoints: step, marks, accuracy, size if it fits."""
    lines: list[tuple[str | None, Content]] = []
    for _, group in groupby(judged, key=lambda checkpoint: checkpoint.run.id):
        of_run = list(group)
        there = [checkpoint.facts for checkpoint in reversed(of_run) if checkpoint.is_there]
        best, last = best_checkpoint(there), there[-1] if there else None
        lines.append((None, run_line(of_run[0].run.id, width)))
        for checkpoint in of_run:
            facts, result = checkpoint.facts, checkpoint.result
            marks = [mark for mark, is_so in (("★", facts == best), ("last", facts == last)) if is_so]
            marked = " ".join(marks) if checkpoint.is_there else "gone"
            accuracy = f"{result.evaluation.accuracy:.1%}" if result else ""
            bytes_text = f" {size(facts.bytes):>{SIZE_CELLS}}" if width > LINE_CELLS + SIZE_CELLS else ""
            line = f"{PINNED * facts.pinned:1}{facts.step:>8,} {column(marked, 6)} {accuracy:>6}{bytes_text}"
            lines.append((line_id(checkpoint), Content(line)))
    return lines


def run_line(run: str, width: int) -> Content:
    """A run's name and, where there is room, when it began; of a long name the beginning and the letters of its own."""
    name = printable(short_id(run), 200)
    if cells(name) > width:
        name = shortened(name[:-ID_END], width - ID_END) + name[-ID_END:]
    began = began_text(run)
    room = width - cells(name) - len(began)
    return Content.assemble((name, "bold"), (" " * room + began if began and room > 0 else "", "$text-muted"))


def began_text(run: str) -> str:
    """When a run began, by its id: `24 Nov 18:43`; empty for a folder that has another name."""
    try:
        return f"{datetime.strptime(run[:13], '%Y%m%d-%H%M'):%-d %b %H:%M}"
    except ValueError:
        return ""


def kept_text(judged: list[JudgedCheckpoint]) -> str:
    """How many checkpoints there are, and how large: `3 runs · 6 checkpoints · 7.1 MB`."""
    there = [one for one in judged if one.is_there]
    runs = len({one.run.id for one in judged})
    parts = [
        f"{runs:,} {'run' if runs == 1 else 'runs'}",
        f"{len(there):,} kept",
        size(sum(one.facts.bytes for one in there)),
    ]
    return " · ".join(parts)


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
