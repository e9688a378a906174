"""What a rule finds: one thing that was looked at, in a form for people and for programs."""

from collections.abc import Iterable
from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem", "does not apply"]
MARKS: dict[State, str] = {"ok": "✓", "warning": "!", "problem": "✗", "does not apply": "–"}
NOTHING = "nothing to do"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; what is not ok has its cause and what to do."""

    subject: str
    ok: bool
    finding: str
    cause: str = ""
    remedy: str = ""
    state: State = "ok"


def fine(subject: str, finding: str) -> Finding:
    """All is as it should be."""
    return Finding(subject, True, finding)


def warning(subject: str, finding: str, cause: str, remedy: str) -> Finding:
    """It works, but worse than it could."""
    return Finding(subject, False, finding, cause, remedy, "warning")


def problem(subject: str, finding: str, cause: str, remedy: str) -> Finding:
    """Something cannot be used."""
    return Finding(subject, False, finding, cause, remedy, "problem")


def not_here(subject: str, finding: str, cause: str, remedy: str = NOTHING) -> Finding:
    """There is nothing here that could be right or wrong."""
    return Finding(subject, False, finding, cause, remedy, "does not apply")


def listed(words: Iterable[str]) -> str:
    """Words in a sentence, each once: `a, b and c`."""
    *most, last = dict.fromkeys(words) or [""]
    return f"{', '.join(most)} and {last}" if most else last
