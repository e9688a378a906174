"""Bars that leave an eighth of a line of space between those that stand below each other."""

from typing import Any

from textual.app import App
from textual.content import Content
from textual.style import Style

from cifartui.text import filled_eighths
from cifartui.tui.theme import between

BLOCK = "▇"
"""Seven eighths of a cell's height, the lower ones."""


def bar(app: App[Any], share: float, width: int, variable: str = "accent") -> Content:
    """A bar of `width` cells, filled to `share` (0 to 1) in the colour of a theme's variable.

    Its last cell has a colour between that and the empty part's, in eighths; on sixteen colours it is full or empty.
    """
    full, rest = divmod(filled_eighths(share, width), 8)
    if app.current_theme.ansi:
        full += rest >= 4 or (rest > 0 and not full)
        return Content.assemble((BLOCK * full, f"${variable}"), " " * (width - full))
    return Content.assemble(
        (BLOCK * full, f"${variable}"),
        (BLOCK * bool(rest), Style(foreground=between(app, "track", variable, rest / 8))),
        (BLOCK * (width - full - bool(rest)), "$track"),
    )
