"""A line that asks for a path and completes it: what is there shows as the path is typed."""

import asyncio
import os
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from cifartui.text import cells, printable, shortened

LONGEST_NAME_CELLS = 30
"""Of a name among those that are there."""
ANY_FILE = ("",)
"""Suffixes of the files that are offered."""
WEIGHTS = (".pth", ".pt", ".safetensors")
TOML = (".toml",)
EDGE_CELLS = 4
"""Of the lower edge that stay edge."""


def completions(typed: str, suffixes: tuple[str, ...] = ANY_FILE) -> list[str]:
    """The paths that go on from what is typed, sorted: files with these suffixes, and folders with `/` at the end.

    None where nothing can be read.

    `~` is kept as it was typed. Names that cannot be shown as they are, and hidden ones that were not asked for, are
    left out.
    """
    folder, _, begun = typed.rpartition("/")
    if typed == "~":
        return ["~/"]
    above = f"{folder}/" if "/" in typed else ""
    try:
        with os.scandir(Path(above or ".").expanduser()) as entries:
            names = [
                f"{entry.name}/" if _is_folder(entry) else entry.name
                for entry in entries
                if entry.name.startswith(begun)
                and (begun.startswith(".") or not entry.name.startswith("."))
                and printable(entry.name) == entry.name
                and (entry.name.lower().endswith(suffixes) or _is_folder(entry))
            ]
    except (OSError, RuntimeError, ValueError):  # no such folder, no such user's home, a zero byte
        return []
    return [above + name for name in sorted(names)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, or round in a circle
        return False


class PathInput(Input):
    """Asks for a path; its lower edge shows what is there to go on with.

    Tab completes, as a shell does; where there is nothing to complete it goes to the next field.
    """

    DEFAULT_CSS = "PathInput { border-subtitle-align: left; border-subtitle-color: $text-muted; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", tooltip="Complete the path", id="path.complete", show=False)
    ]

    def __init__(
        self,
        value: str = "",
        *,
        widget_id: str | None = None,
        placeholder: str = "path",
        suffixes: tuple[str, ...] = ANY_FILE,
    ) -> None:
        """Files with other suffixes are not offered; they can be typed."""
        super().__init__(value, id=widget_id, placeholder=placeholder, select_on_focus=False)
        self._suffixes = suffixes

    def on_mount(self) -> None:
        self._look(self.value)

    def on_resize(self) -> None:
        self._look(self.value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._look(event.value)

    @work(group="look", exclusive=True, exit_on_error=False, description="look what paths there are")
    async def _look(self, typed: str) -> None:
        found = await asyncio.to_thread(completions, typed, self._suffixes)
        names = [Path(path).name + "/" * path.endswith("/") for path in found]
        self.border_subtitle = Content(names_line(names, self.size.width - EDGE_CELLS)) if names else None

    def action_complete(self) -> None:
        """Add what all paths that are there have in common, or else the first of them."""
        self._complete(self.value)

    @work(group="complete", exclusive=True, exit_on_error=False, description="complete a path")
    async def _complete(self, typed: str) -> None:
        found = await asyncio.to_thread(completions, typed, self._suffixes) if typed else []
        if self.value != typed:
            return
        completed = _shared(found)
        if found and len(completed) <= len(typed):
            completed = found[0]
        if len(completed) > len(typed):
            self.value = completed
            self.cursor_position = len(completed)
        else:
            self.screen.focus_next()


def _shared(paths: list[str]) -> str:
    """What sorted paths have in common from their beginning."""
    if not paths:
        return ""
    same = (first == last for first, last in zip(paths[0], paths[-1], strict=False))
    return paths[0][: sum(takewhile(bool, same))]


def names_line(names: list[str], width: int) -> str:
    """As many names as fit a line, and how many more there are."""
    line = ""
    for place, name in enumerate(names):
        longer = f"{line}  {shortened(name, LONGEST_NAME_CELLS)}" if place else shortened(name, LONGEST_NAME_CELLS)
        more = f"  … {len(names) - place - 1:,} more" if place + 1 < len(names) else ""
        if cells(longer + more) > width:
            return f"{line}  … {len(names) - place:,} more" if line else shortened(longer, width)
        line = longer
    return line
