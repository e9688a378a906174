"""A pen that draws a figure turned, mirrored and placed by chance."""

from math import cos, pi, sin

from PIL import ImageDraw

from cifartui.dataset.drawing.colours import Chance, Colour

Point = tuple[float, float]

SIDE = 32
FINENESS = 3
"""Shapes are drawn this many times larger and then reduced, which smooths their edges."""

CANVAS = SIDE * FINENESS
CIRCLE = [(cos(2 * pi * part / 20), sin(2 * pi * part / 20)) for part in range(20)]


class Pen:
    """Draws shapes in units of the figure (x to the right, y down, both about -1 to 1), turned, mirrored and placed."""

    def __init__(self, drawing: ImageDraw.ImageDraw, chance: Chance, turn: float = 0.12) -> None:
        """Choose a place, a size, a side and an angle (at most `turn` radians) for the figure."""
        self._drawing = drawing
        size = CANVAS * chance.uniform(0.36, 0.47)
        angle = chance.uniform(-turn, turn)
        self._along, self._across = size * cos(angle), size * sin(angle)
        self._mirror = -1.0 if chance.random() < 0.5 else 1.0
        self._left = CANVAS * chance.uniform(0.44, 0.56)
        self._top = CANVAS * chance.uniform(0.44, 0.56)

    def polygon(self, colour: Colour, *points: Point) -> None:
        """Fill the polygon between the points."""
        self._drawing.polygon([self._placed(x, y) for x, y in points], fill=colour)

    def box(self, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
        """Fill a rectangle."""
        self.polygon(colour, (left, top), (right, top), (right, bottom), (left, bottom))

    def oval(self, colour: Colour, x: float, y: float, width: float, height: float, lean: float = 0.0) -> None:
        """Fill an ellipse of the given half axes, leaning by `lean` radians."""
        along, across = cos(lean), sin(lean)
        self.polygon(
            colour,
            *(
                (x + width * right * along - height * down * across, y + width * right * across + height * down * along)
                for right, down in CIRCLE
            ),
        )

    def stroke(self, colour: Colour, width: float, *points: Point) -> None:
        """Draw a line through the points."""
        pixels = max(1, round(width * (abs(self._along) + abs(self._across))))
        self._drawing.line([self._placed(x, y) for x, y in points], fill=colour, width=pixels, joint="curve")

    def _placed(self, x: float, y: float) -> Point:
        x *= self._mirror
        return self._left + x * self._along - y * self._across, self._top + x * self._across + y * self._along
