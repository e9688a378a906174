"""Looking at the terminal: its size, and what the environment says of it; nothing is written to it."""

import locale
import os
import sys
from collections.abc import Mapping
from typing import Literal

from cifartui.machine.facts import Terminal
from cifartui.text import printable

TRUE_COLOUR = 2**24
PICTURES: dict[str, Literal["kitty", "iTerm2", "Sixel"]] = {
    "kitty": "kitty",
    "ghostty": "kitty",
    "wezterm": "kitty",
    "konsole": "kitty",
    "iterm": "iTerm2",
    "foot": "Sixel",
    "mlterm": "Sixel",
    "contour": "Sixel",
    "mintty": "Sixel",
}
"""Programs that draw pictures, and by which protocol, by what they call themselves."""


def look_at_terminal(environment: Mapping[str, str] = os.environ) -> Terminal:
    """See what the terminal is; a multiplexer in between hides what is beyond it."""
    size = _size()
    kind, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    names = f"{program} {kind}".lower()
    return Terminal(
        columns=size.columns if size else None,
        rows=size.lines if size else None,
        kind=printable(kind, 40),
        program=printable(program, 40),
        colours=_colours(kind, environment.get("COLORTERM", "")),
        colours_switched_off="NO_COLOR" in environment,
        encoding=_encoding(),
        locale=printable(next(filter(None, map(environment.get, ("LC_ALL", "LC_CTYPE", "LANG"))), ""), 40),
        multiplexer=_multiplexer(kind, environment),
        pictures=next((protocol for name, protocol in PICTURES.items() if name in names), ""),
    )


def _size() -> os.terminal_size | None:
    for descriptor in (1, 2, 0):
        try:
            return os.get_terminal_size(descriptor)
        except OSError:
            continue
    return None


def _colours(kind: str, colorterm: str) -> int:
    """As the screens' library decides."""
    if colorterm.strip().lower() in ("truecolor", "24bit"):
        return TRUE_COLOUR
    if kind in ("", "dumb", "unknown"):
        return 2
    if "direct" in kind or kind in ("xterm-kitty", "xterm-ghostty"):
        return TRUE_COLOUR
    return 256 if "256color" in kind else 16


def _encoding() -> str:
    stream = sys.__stdout__
    return printable((stream.encoding if stream else "") or locale.getpreferredencoding(False), 40)


def _multiplexer(kind: str, environment: Mapping[str, str]) -> Literal["", "tmux", "screen", "zellij"]:
    if "TMUX" in environment or kind.startswith("tmux"):
        return "tmux"
    if "ZELLIJ" in environment:
        return "zellij"
    return "screen" if "STY" in environment or kind.startswith("screen") else ""
