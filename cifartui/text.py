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


def clock(seconds: float) -> str:
    """`0:14`, `1:02:03`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
