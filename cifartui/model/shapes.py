"""Shapes of activations, and the arithmetic of a window that slides over them.

Source of the formula: the "Shape" sections of torch.nn.Conv2d, MaxPool2d and AvgPool2d.
"""

import re

import msgspec

from cifartui.errors import UsageError
from cifartui.text import printable

Shape = tuple[int, ...]
"""Of one image's activations, without the batch: `(channels, height, width)` or `(features,)`."""


LARGEST_SIDE = 65_536


class ShapeError(UsageError):
    """A layer that cannot take what the layer before it gives."""


def format_shape(shape: Shape) -> str:
    """`6 × 28 × 28`."""
    return " × ".join(f"{size:,}" for size in shape)


def parse_shape(text: str) -> tuple[int, int, int]:
    """Parse the size of a picture: `3x64x64` is channels, height and width; `64x64` and `64` have three channels.

    Raises:
        UsageError: it is not one to three positive whole numbers, or they are too large.
    """
    parts = re.split(r"\s*[x×]\s*", text.strip())
    if not (len(parts) <= 3 and all(re.fullmatch(r"[1-9][0-9]*", part, re.ASCII) and len(part) < 20 for part in parts)):
        raise UsageError(f"{printable(text, 40)!r} is no size: write channels x height x width, such as 3x32x32.")
    numbers = [int(part) for part in parts]
    if max(numbers) > LARGEST_SIDE:
        raise UsageError(f"{printable(text, 40)!r} is too large: {LARGEST_SIDE:,} is the most for each number.")
    match numbers:
        case [side]:
            return 3, side, side
        case [height, width]:
            return 3, height, width
        case [channels, height, width]:
            return channels, height, width
    raise AssertionError("one to three numbers were let through")


class Slide(msgspec.Struct, frozen=True):
    """A window that slides over height and width."""

    name: str
    kernel: int
    stride: int
    padding: int
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Pixels from the first to the last that the window looks at."""
        return self.dilation * (self.kernel - 1) + 1

    def over(self, height: int, width: int) -> tuple[tuple[int, int], str, str]:
        """Positions down and across, the formula with its numbers, and what it rounds away.

        Raises:
            ShapeError: the window is larger than what it slides over.
        """
        if self.extent > min(height, width) + 2 * self.padding:
            spread = f", spread over {self.extent}×{self.extent}," * (self.dilation > 1)
            raise ShapeError(
                f"{self.name}'s {self.kernel}×{self.kernel} kernel{spread} is larger than its {height} × {width} input."
            )
        down, across = self._positions(height), self._positions(width)
        formulas = [self._formula(height, down), self._formula(width, across)]
        formula = formulas[0] if height == width else f"height {formulas[0]}, width {formulas[1]}"
        lost = [f"{rest} {what}{'s' * (rest > 1)}" for rest, what in self._lost(height, width) if rest]
        note = f"the last {' and '.join(lost)} are not looked at: ⌊ ⌋ rounds down" if lost else ""
        return (down, across), formula, note

    def _positions(self, size: int) -> int:
        return (size - self.extent + 2 * self.padding) // self.stride + 1

    def _lost(self, height: int, width: int) -> list[tuple[int, str]]:
        rests = [(size - self.extent + 2 * self.padding) % self.stride - self.padding for size in (height, width)]
        return [(max(0, rests[0]), "row"), (max(0, rests[1]), "column")]

    def _formula(self, size: int, count: int) -> str:
        extent = f"{self.kernel}" if self.dilation == 1 else f"({self.dilation}·({self.kernel} − 1) + 1)"
        return f"⌊({size} − {extent} + 2·{self.padding}) / {self.stride}⌋ + 1 = {count}"
