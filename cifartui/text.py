"""Text from files, names and exceptions, made safe to show in a terminal."""

import unicodedata

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str, limit: int = 2_000) -> str:
    """Replace control, bidirectional and other invisible characters by `�` and cut after `limit` characters.

    Control characters could move the cursor or run terminal commands (ESC, OSC 52); bidirectional marks could
    show a name as another one.
    """
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join("�" if unicodedata.category(letter) in _HIDDEN_CATEGORIES else letter for letter in shown)
    return shown + "…" if len(text) > limit else shown


def size(count: int) -> str:
    """A number of bytes: `248 kB`, `1.3 GB`."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    digits = 1 if unit != "bytes" and value < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def clock(seconds: float) -> str:
    """`0:14`, `1:02:03`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def cells(text: str) -> int:
    """How many cells of a terminal a text takes: wide characters take two, combining ones none."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shortened(text: str, width: int) -> str:
    """Cut a text that takes more than `width` cells, marked with `…`."""
    if cells(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            break
        kept += character
    return kept + "…"


def column(text: str, width: int) -> str:
    """A text in exactly `width` cells, cut with a mark or filled with blanks."""
    shown = shortened(text, width)
    return shown + " " * (width - cells(shown))


_EIGHTHS = " ▏▎▍▌▋▊▉"


def filled_eighths(share: float, width: int) -> int:
    """How many eighths of a cell of a bar of `width` cells are filled at a share of 0 to 1.

    More than nothing is at least one; a share that is no number is none.
    """
    return min(max(1, round(8 * width * min(share, 1))), 8 * width) if share > 0 else 0


def bar(share: float, width: int) -> str:
    """A bar of `width` cells, filled to `share` (0 to 1) in eighths of a cell and then blank."""
    full, rest = divmod(filled_eighths(share, width), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)
