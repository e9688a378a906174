"""The line above the keys that says what happened."""

import textwrap

from textual.content import Content
from textual.widgets import Static

from cifartui.text import printable
from cifartui.tui.messages import Notice

MOST_LINES = 4


class NoticeLine(Static):
    """What was said last; it takes its lines from the body, so that nothing is covered, and is gone without."""

    def on_mount(self) -> None:
        self.watch(self.app, "notice", self._show)

    def on_resize(self) -> None:
        self._show(self.app.notice)  # type: ignore[attr-defined]  # CifarApp

    def _show(self, notice: Notice | None) -> None:
        self.display = notice is not None
        if notice:
            columns, lines = self.app.size
            self.update(notice_text(notice, columns - 2, max(1, min(MOST_LINES, lines // 5))))


def notice_text(notice: Notice, columns: int, lines: int) -> Content:
    """The sentence with its mark in lines of so many columns; what does not fit ends in `…`."""
    mark, colour = ("✗", "$error") if notice.is_error else ("✓", "$success")
    wrapped = textwrap.wrap(f"{mark} {printable(notice.sentence)}", max(1, columns), max_lines=lines, placeholder="…")
    return Content.styled("\n".join(wrapped), f"bold {colour}" if notice.is_error else colour)
