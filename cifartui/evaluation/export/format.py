"""What a format to export to is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cifartui.model.network import Network

if TYPE_CHECKING:
    from cifartui.evaluation.subject import Subject


class Format(NamedTuple):
    """A way to take a trained network elsewhere; a new one is a file of its own and a place in `FORMATS`."""

    name: str
    """As the command line takes it."""
    summary: str
    file: str
    """The name of the file unless another is given."""
    what: str
    """What is in the file, in words."""
    content: "Callable[[Subject], bytes]"
    usage: Callable[[Network, str], str]
    """How a file of this name is used, for people, in a line."""
