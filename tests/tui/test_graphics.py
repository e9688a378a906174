"""Real pixels: what is sent to terminals that draw them, read back as such a terminal reads it, and their answers."""

import os
import re
import sys
import time
import zlib
from base64 import b64decode

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.events import Key

from cifartui.dataset.store import DatasetFacts
from cifartui.tui.app import CifarApp
from cifartui.tui.graphics import kitty, sixel
from cifartui.tui.graphics.ability import (
    ANSWER_SECONDS,
    ASK_ATTRIBUTES,
    ASK_KITTY,
    QUIET_TICKS,
    VARIABLE,
    AnswerParser,
    Asking,
    Graphics,
    GraphicsFound,
    Question,
)
from cifartui.tui.widgets.pixels import shows_all_colours
from tests.tui.terminal import LEAVE_ALTERNATE_SCREEN, SHELL, Terminal

XTERM_ANSWERS = "\x1b[6;13;6t\x1b[?64;1;2;4;6;9;15;18;21;22c"
KITTY_ANSWERS = "\x1b[6;20;10t\x1b[?62;52;c", "\x1b_Gi=1;OK\x1b\\\x1b[?62;52;c"


@pytest.mark.parametrize(("size", "scale"), [((32, 32), 3), ((7, 13), 1), ((32, 20), 5), ((3, 1), 8)])
def test_sixels_are_the_pixels(size: tuple[int, int], scale: int) -> None:
    """Read as a terminal reads them, each pixel is a square of its colour, to the hundredth that the format has."""
    pixels = np.random.default_rng(0).choice(np.arange(0, 256, 51, dtype=np.uint8), (*size, 1)).repeat(3, axis=2)
    drawn = _read_sixels(sixel.encoded(pixels, scale))
    assert np.abs(drawn - pixels.repeat(scale, axis=0).repeat(scale, axis=1).astype(int)).max() <= 3


def _read_sixels(text: str) -> NDArray[np.int64]:
    header = re.match(r'\x1bP0;1q"1;1;(\d+);(\d+)', text)
    assert header
    assert text.endswith("\x1b\\")
    width, height = int(header[1]), int(header[2])
    drawn = np.full((height, width, 3), -255)
    palette: dict[str, list[int]] = {}
    colour, top, column = "", 0, 0
    for command in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|([$-])|(?:!(\d+))?([?-~])", text[header.end() : -2]):
        number, red, green, blue, move, times, bits = command.groups()
        if red:
            palette[number] = [round(int(part) * 2.55) for part in (red, green, blue)]
        elif number:
            colour = number
        elif move:
            top, column = top + 6 * (move == "-"), 0
        else:
            for row in range(6):
                if ord(bits) - 63 >> row & 1:
                    drawn[top + row, column : column + int(times or 1)] = palette[colour]
            column += int(times or 1)
    return drawn


def test_kitty_gets_a_picture_in_commands_it_takes_and_characters_that_name_it() -> None:
    """The pixels as they are, in commands of 4,096 characters at most; inside tmux each is handed through."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    text = kitty.sent(0x12AB34, pixels, (16, 8))
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert max(len(data) for _, data in commands) == 4096
    assert "s=64,v=64,c=16,r=8" in commands[0][0]
    assert ["m=1" in keys for keys, _ in commands] == [True] * (len(commands) - 1) + [False]
    assert zlib.decompress(b64decode("".join(data for _, data in commands))) == pixels.tobytes()
    lines = kitty.placeholders(0x12AB34, (16, 8))
    assert [line[0].cell_length for line in lines] == [16] * 8
    assert len({line[0].text for line in lines}) == 8
    assert lines[0][0].style.color.triplet.hex == "#12ab34"
    wrapped = kitty.sent(0x12AB34, pixels, (16, 8), in_tmux=True)
    assert re.sub(r"\x1bPtmux;(.*?[^\x1b])\x1b\\", lambda one: one[1], wrapped).replace("\x1b\x1b", "\x1b") == text


def test_a_terminal_with_sixels_is_asked_no_more() -> None:
    """Its attributes say it, and its cells' size is taken."""
    heard = _hear(XTERM_ANSWERS)
    assert heard == [GraphicsFound(Graphics("sixel", (6, 13)))]


def test_a_terminal_without_is_asked_whether_it_knows_kittys_protocol() -> None:
    """Only when it has answered the question that all know."""
    heard = _hear(*KITTY_ANSWERS)
    assert isinstance(heard[0], Asking)
    assert heard[1:] == [GraphicsFound(Graphics("kitty", (10, 20)))]
    assert [type(one) for one in _hear("\x1b[?1;2c", "\x1b[?1;2c")] == [Asking]


@pytest.mark.parametrize("cut", range(1, len(XTERM_ANSWERS)))
def test_an_answer_in_two_halves_is_no_key(cut: int) -> None:
    """Wherever it is cut; keys around it arrive."""
    heard = _hear("a" + XTERM_ANSWERS[:cut], XTERM_ANSWERS[cut:] + "b")
    keys = [one.key for one in heard if isinstance(one, Key)]
    assert keys == ["a", "b"]
    assert sum(isinstance(one, GraphicsFound) for one in heard) == 1


def test_escape_is_a_key_while_an_answer_is_awaited() -> None:
    """Once nothing has followed it."""
    question = Question()
    question.first()
    parser = AnswerParser(question)
    assert list(parser.feed("\x1b")) == []
    heard = [one for _ in range(QUIET_TICKS + 1) for one in parser.tick()]
    parser._timeout_time = 0.0
    heard += list(parser.tick())
    assert [one.key for one in heard if isinstance(one, Key)] == ["escape"]


def _hear(*texts: str) -> list[object]:
    question = Question()
    question.first()
    parser = AnswerParser(question)
    return [one for text in texts for one in parser.feed(text)]


@pytest.mark.parametrize(
    ("answers", "drawn"), [((XTERM_ANSWERS,), rb'\x1bP0;1q"1;1;96;96'), (KITTY_ANSWERS, rb"\x1b_Ga=T,U=1,i=(\d+),")]
)
def test_the_program_draws_what_its_terminal_draws(
    answers: tuple[str, ...], drawn: bytes, sketches: DatasetFacts, many_colours: None
) -> None:
    """Asked once there is a frame, a pty answers as xterm or Kitty does; leaving gives Kitty's pictures up."""
    shell = _start()
    for question, answer in zip((ASK_ATTRIBUTES, ASK_KITTY), answers, strict=False):
        shell.wait_until(lambda question=question: question.encode() in shell.output)
        assert b"dataset" in shell.output
        os.write(shell.descriptor, answer.encode())
    shell.wait_until(lambda: re.search(drawn, shell.output))
    picture = re.search(drawn, shell.output)
    assert picture
    _leave(shell, "q")
    assert not picture.groups() or b"a=d,d=I,i=" + picture[1] in shell.output


def test_answers_that_come_while_the_program_leaves_are_not_for_the_shell(
    sketches: DatasetFacts, many_colours: None
) -> None:
    """They are waited for and dropped; pictures were drawn as text until then."""
    shell = _start()
    shell.wait_until(lambda: ASK_ATTRIBUTES.encode() in shell.output)
    shell.press("q")
    time.sleep(ANSWER_SECONDS / 2)  # as over a slow line; the screens would be gone by then
    _leave(shell, XTERM_ANSWERS)
    assert "64;1;2" not in shell.after_screens
    assert b"\x1bP" not in shell.output


@pytest.fixture
def many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of as many colours as pixels have, which is to say itself what it draws."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv(VARIABLE, raising=False)


def _start() -> Terminal:
    shell = Terminal(100, 30, emulated=False, program=SHELL)
    shell.press(f"{sys.executable} -m cifartui\r")
    return shell


def _leave(shell: Terminal, last: str) -> None:
    os.write(shell.descriptor, last.encode())
    shell.wait_until(lambda: LEAVE_ALTERNATE_SCREEN in shell.output)
    shell.press("echo ag''ain\r")
    shell.wait_until(lambda: "again" in shell.after_screens)
    shell.kill()


def test_who_wants_no_colours_gets_no_pixels(monkeypatch: pytest.MonkeyPatch, many_colours: None) -> None:
    """Under NO_COLOR pictures are text, which is drawn in greys."""
    assert shows_all_colours(CifarApp())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not shows_all_colours(CifarApp())
