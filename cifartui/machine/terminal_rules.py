"""What follows from the facts about the terminal."""

from cifartui.machine.facts import Terminal
from cifartui.machine.finding import Finding, fine, not_here, warning
from cifartui.machine.terminal import TRUE_COLOUR

COLUMNS, ROWS = 80, 24
"""On so many cells everything works."""
COMFORTABLE_COLUMNS, COMFORTABLE_ROWS = 100, 34
"""From here on more stands side by side."""


def judge_terminal(terminal: Terminal) -> list[Finding]:
    """A finding for each of its abilities."""
    if terminal.columns is None:
        cause = "neither input nor output is one"
        return [not_here("terminal", "there is none here", cause, "open one for the screens; commands need none")]
    return [
        _size(terminal),
        _colours(terminal),
        _characters(terminal),
        _pictures(terminal),
        _multiplexer(terminal),
    ]


def _size(terminal: Terminal) -> Finding:
    columns, rows = terminal.columns or 0, terminal.rows or 0
    what = f"{columns} × {rows} cells"
    if columns < COLUMNS or rows < ROWS:
        return warning("terminal size", what, f"the screens are made for {COLUMNS} × {ROWS} and more", "make it larger")
    if columns < COMFORTABLE_COLUMNS or rows < COMFORTABLE_ROWS:
        return fine("terminal size", f"{what}; from {COMFORTABLE_COLUMNS} × {COMFORTABLE_ROWS} on more is side by side")
    return fine("terminal size", what)


def _colours(terminal: Terminal) -> Finding:
    name = f"TERM={terminal.kind or '(not set)'}"
    if terminal.colours_switched_off:
        return warning("colours", "none", "NO_COLOR is set", "unset NO_COLOR to see pictures in colour")
    if terminal.colours == TRUE_COLOUR:
        return fine("colours", f"16 million ({name})")
    if terminal.multiplexer == "tmux":
        remedy = "in ~/.tmux.conf: set -g default-terminal tmux-256color and set -as terminal-features ',*:RGB'"
        remedy += "; then COLORTERM=truecolor"
    else:
        remedy = "set COLORTERM=truecolor if the terminal can do it; ssh does not pass it on by itself"
    many = terminal.colours == 256
    what = {256: "256", 16: "16"}.get(terminal.colours, "none") + f" ({name})"
    effect = "pictures have the nearest of them" if many else "pictures are not drawn, charts and tables are"
    if many:
        return fine("colours", f"{what}; {effect}")
    return warning("colours", what, f"{name} says so; {effect}", remedy)


def _characters(terminal: Terminal) -> Finding:
    what = f"{terminal.encoding or 'unknown'}, locale {terminal.locale or 'not set'}"
    if terminal.encoding.lower().replace("-", "") == "utf8":
        return fine("characters", what)
    return warning(
        "characters",
        what,
        "lines, bars and pictures are made of Unicode characters",
        "export LANG=C.UTF-8 (or a UTF-8 locale of yours), also on the other side of ssh",
    )


def _pictures(terminal: Terminal) -> Finding:
    if not terminal.pictures:
        return fine("pictures", "drawn in half and quarter cells")
    return fine("pictures", f"drawn in half and quarter cells; {terminal.pictures}'s protocol is not needed")


def _multiplexer(terminal: Terminal) -> Finding:
    if terminal.multiplexer:
        return fine("multiplexer", f"{terminal.multiplexer}; a run would go on without it as well")
    return fine("multiplexer", "none; none is needed: a run goes on when the terminal is lost")
