"""Messages that cross from workers to the screens, and what is said to the user."""

import threading
import time
from dataclasses import dataclass, field

from textual.message import Message

from cifartui.tui.view import RunView


@dataclass
class RunRead(Message):
    """New events of the run in view were read."""

    view: RunView
    taken: threading.Event = field(default_factory=threading.Event)
    """Set once it is shown, or not wanted; a stalled terminal would let messages pile up without end."""


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
