"""Kitty's graphics protocol: a picture is sent once and then stands where characters with its number stand.

Source: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>, "Unicode placeholders".
"""

import zlib
from base64 import standard_b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACEHOLDER = "\U0010eeee"
CHUNK = 4096
"""Characters of a picture that one command has at most."""
DIACRITICS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357\u035b\u0363"
    "\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484\u0485\u0486\u0487\u0592"
    "\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1\u05a8\u05a9\u05ab\u05ac\u05af\u05c4"
)
"""The first of those that number a placeholder's row and column."""


def sent(number: int, pixels: "NDArray[np.uint8]", cells: tuple[int, int], *, in_tmux: bool = False) -> str:
    """`[H, W, 3]` as picture `number` (24 bits), to be shown so many cells wide and high."""
    height, width = pixels.shape[:2]
    data = standard_b64encode(zlib.compress(pixels.tobytes(), 1)).decode()
    keys = f"a=T,U=1,i={number},f=24,o=z,s={width},v={height},c={cells[0]},r={cells[1]},q=2"
    commands = []
    for start in range(0, len(data), CHUNK):
        more = int(start + CHUNK < len(data))
        commands.append(_command(f"{keys},m={more}" if start == 0 else f"m={more},q=2", data[start : start + CHUNK]))
    return "".join(map(_through_tmux, commands) if in_tmux else commands)


def forgotten(numbers: Iterable[int], *, in_tmux: bool = False) -> str:
    """Free the pictures of these numbers."""
    commands = [_command(f"a=d,d=I,i={number},q=2") for number in numbers]
    return "".join(map(_through_tmux, commands) if in_tmux else commands)


def placeholders(number: int, cells: tuple[int, int]) -> list[list[Segment]]:
    """The lines of characters in whose place picture `number` is shown; its colour says which."""
    width, height = cells
    style = Style(color=f"#{number:06x}")
    return [
        [Segment(f"{PLACEHOLDER}{DIACRITICS[row]}{DIACRITICS[0]}" + PLACEHOLDER * (width - 1), style)]
        for row in range(height)
    ]


def _command(keys: str, data: str = "") -> str:
    return f"\x1b_G{keys}{';' * bool(data)}{data}\x1b\\"


def _through_tmux(command: str) -> str:
    doubled = command.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
