"""Messages that cross from workers to the screens."""

from dataclasses import dataclass

from textual.message import Message

from cifartui.tui.view import RunView


@dataclass
class RunRead(Message):
    """New events of the run in view were read."""

    view: RunView
