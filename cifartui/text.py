"""Text from files, names and exceptions, made safe to show in a terminal."""

import unicodedata

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str, limit: int = 2_000) -> str:
    """Replace control, bidirectional and other invisible characters by `�` and cut after `limit` characters.

    Control characters could move the cursor or run terminal commands (ESC, OSC 52); bidirectional marks could
    show a name as another one.
    """
    shown = "".join(
        "�" if unicodedata.category(character) in _HIDDEN_CATEGORIES else character for character in text[:limit]
    )
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
