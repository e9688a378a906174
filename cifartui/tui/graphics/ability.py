"""What a terminal can draw: asked of it behind the first frame, or said by `CIFARTUI_PICTURES`.

Nothing waits for an answer. A terminal that gives none to the question that all of them know is asked no other.
"""

import fcntl
import os
import re
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from textual._xterm_parser import XTermParser
from textual.message import Message

Protocol = Literal["kitty", "sixel"]

VARIABLE = "CIFARTUI_PICTURES"
"""`kitty`, `sixel` or `blocks`; with another value, or none, the terminal is asked."""
ASK_CELL = "\x1b[16t"
ASK_ATTRIBUTES = "\x1b[c"
"""Primary device attributes, which every terminal since the VT100 answers; 4 among them is Sixel."""
ASK_KITTY = "\x1b_Gi=1,s=1,v=1,a=q,t=d,f=24,U=1;AAAA\x1b\\"
"""Whether a picture would be taken; terminals that know no placeholders (U) answer nothing, as Kitty before 0.28."""
ANSWER = re.compile(
    r"\x1b_G(?P<kitty>[^\x1b]*)\x1b\\|\x1b\[\?(?P<attributes>[\d;]*)c|\x1b\[6;(?P<height>\d+);(?P<width>\d+)t"
)
BEGUN = re.compile(r"\x1b(?:_(?:G[^\x1b]*\x1b?)?|\[(?:\?[\d;]*|6(?:;[\d;]*)?)?)?$")
"""The first characters of an answer, or of a key."""
QUIET_TICKS = 2
"""Looks of the library at its input, 0.1 s apart, after which what may have been an answer was a key."""
ANSWER_SECONDS = 1.5
"""Within which an answer comes if one does; a program that ends earlier waits for it, so that no shell gets it."""
CELL_SIZE = (10, 20)
"""Of the VT340, for terminals that do not tell theirs."""


class Graphics(NamedTuple):
    """How real pixels are drawn."""

    protocol: Protocol
    cell_size: tuple[int, int]
    """Width and height of a cell in pixels."""
    in_tmux: bool = False
    """Whether what is meant for the terminal goes through tmux."""


@dataclass
class GraphicsFound(Message):
    """What the terminal can draw."""

    graphics: Graphics


class Question:
    """What was asked of the terminal, and what it answered so far."""

    def __init__(self) -> None:
        self._asked = 0.0
        self._answered = threading.Event()
        self._answered.set()
        self._cell_size: tuple[int, int] | None = None
        self._asks_kitty = self._knows_kitty = False

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return not self._answered.is_set() and time.monotonic() < self._asked + ANSWER_SECONDS

    def first(self) -> str:
        """The first question, to be written to the terminal."""
        return self._ask(ASK_CELL + ASK_ATTRIBUTES)

    def _ask(self, question: str) -> str:
        self._asked = time.monotonic()
        self._answered.clear()
        return question

    def take(self, answer: re.Match[str]) -> tuple[str, Graphics | None]:
        """What is to be asked next, if anything, and what is known now."""
        if answer["height"]:
            self._cell_size = int(answer["width"]), int(answer["height"])
        elif answer["kitty"] is not None:
            self._knows_kitty = answer["kitty"].endswith(";OK")
        elif answer["attributes"] is not None and not self._answered.is_set():
            self._answered.set()
            if "4" in answer["attributes"].split(
                ";"
            ):  # before Kitty's: some say they know that and draw no placeholders
                return "", Graphics("sixel", self._cell_size or window_cell_size())
            if self._knows_kitty:
                return "", Graphics("kitty", self._cell_size or window_cell_size())
            if not self._asks_kitty:
                self._asks_kitty = True
                return self._ask(ASK_KITTY + ASK_ATTRIBUTES), None
        return "", None

    def wait(self) -> None:
        """Wait for an answer that is on its way."""
        self._answered.wait(max(0.0, self._asked + ANSWER_SECONDS - time.monotonic()))


@dataclass
class Asking(Message):
    """Another question for the terminal."""

    question: str


class AnswerParser(XTermParser):
    """Textual's parser of what a terminal sends, which takes answers of 8.2.8 to be keys."""

    def __init__(self, question: Question, debug: bool = False) -> None:
        self._question = question
        self._held = ""
        self._quiet_ticks = 0
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Messages for keys and answers; the first half of an answer is held until the other comes."""
        self._quiet_ticks = 0
        data, self._held = self._held + data, ""
        for answer in ANSWER.finditer(data):
            question, graphics = self._question.take(answer)
            if question:
                yield Asking(question)
            if graphics:
                yield GraphicsFound(graphics)
        keys = ANSWER.sub("", data)
        if self._question.is_open and (begun := BEGUN.search(keys)):
            self._held = begun[0]
            keys = keys[: begun.start()]
        if keys or not data:
            yield from super().feed(keys)

    def tick(self) -> Iterable[Message]:
        """Called after each look at the input: what was held and stayed alone was a key."""
        self._quiet_ticks += 1
        if self._held and self._quiet_ticks > QUIET_TICKS:
            keys, self._held = self._held, ""
            if not keys.startswith("\x1b_G"):
                yield from super().feed(keys)
        yield from super().tick()


def forced_graphics() -> Graphics | None:
    """The protocol that `CIFARTUI_PICTURES` names."""
    match os.environ.get(VARIABLE):
        case "kitty":
            return Graphics("kitty", window_cell_size(), in_tmux="TMUX" in os.environ)
        case "sixel":
            return Graphics("sixel", window_cell_size())
        case _:
            return None


def may_ask() -> bool:
    """Whether it is left to the terminal what is drawn."""
    return os.environ.get(VARIABLE) not in ("kitty", "sixel", "blocks")


def window_cell_size() -> tuple[int, int]:
    """Width and height of a cell in pixels, as the system knows them of the terminal."""
    try:
        answer = fcntl.ioctl(sys.__stdout__ or 1, termios.TIOCGWINSZ, bytes(8))
        lines, columns, width, height = struct.unpack("HHHH", answer)
    except OSError:
        return CELL_SIZE
    return (width // columns, height // lines) if min(lines, columns, width, height) else CELL_SIZE
