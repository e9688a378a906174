"""The lessons of a language: one for each layer kind, setting, control, chart and result, in the tutorial's order.

A language is a file beside this one. Its keys say what is explained: `layer.conv2d`, `setting.optimizer.momentum`,
`screen.dataset`. In its texts `{name}` is a value in hand, see `values.py`, and `{key.model.walk}` the key of a
binding; `**` stands around what is strong and a grave accent around code.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from cifartui.toml import parse_toml

Language = Literal["en"]
FOLDER = Path(__file__).parent


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of one thing."""

    title: str
    """The question that it answers, or the thing's name."""
    text: str
    """Paragraphs, apart by an empty line; one whose values are not all known is left out."""
    code: str = ""
    """The part of a training script that does it, see `code.py`."""
    ideas: tuple[str, ...] = ()
    """What to try next; one with a key that does nothing here is left out."""

    @property
    def paragraphs(self) -> list[str]:
        """The text, with the line breaks inside a paragraph as blanks."""
        return [" ".join(paragraph.split()) for paragraph in self.text.split("\n\n")]


@cache
def lessons(language: Language = "en") -> dict[str, Lesson]:
    """All lessons of a language by what they explain, in order.

    Raises:
        UsageError, msgspec.ValidationError: the file is no lessons.
    """
    path = FOLDER / f"{language}.toml"
    return msgspec.convert(parse_toml(path.read_bytes(), path.name), dict[str, Lesson])
