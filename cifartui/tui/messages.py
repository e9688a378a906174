"""Messages that cross from workers to the screens, and what is said to the user."""

import time
from dataclasses import dataclass, field

from textual.message import Message

from cifartui.tui.view import RunView


@dataclass
class RunRead(Message):
    """New events of the run in view were read."""

    view: RunView


@dataclass(frozen=True, eq=False)
class Notice:
    """A sentence for the line above the keys."""

    sentence: str
    is_error: bool
    said: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it was said."""
        return time.monotonic() - self.said
