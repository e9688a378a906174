"""Ten classes of small drawn pictures: how one airplane, one automobile … is drawn, each time a little differently."""

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
Chance = np.random.Generator

SIDE = 32
FINENESS = 3
"""Shapes are drawn this many times larger and then reduced, which smooths their edges."""

CANVAS = SIDE * FINENESS
BLACK: Colour = (25, 25, 28)
WHITE: Colour = (240, 240, 236)
TYRE: Colour = (32, 32, 36)
GLASS: Colour = (150, 195, 220)
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


def airplane(pen: Pen, chance: Chance) -> None:
    """From the side or from below."""
    body = _around(chance, _one_of(chance, (225, 228, 232), (190, 200, 210), (120, 130, 145)), 18)
    mark = _vivid(chance)
    if chance.random() < 0.55:
        pen.polygon(mark, (-0.95, -0.5), (-0.72, -0.5), (-0.5, 0.0), (-0.85, 0.0))
        pen.oval(body, 0.0, 0.05, 1.0, 0.17)
        pen.polygon(_shade(body, 0.7), (-0.25, 0.1), (0.2, 0.1), (-0.3, 0.55), (-0.5, 0.55))
        pen.polygon(_shade(body, 0.85), (-0.1, 0.0), (0.12, 0.0), (-0.2, -0.32), (-0.32, -0.32))
        pen.stroke(_shade(GLASS, 0.6), 0.05, (-0.5, 0.0), (0.75, 0.0))
    else:
        pen.polygon(_shade(body, 0.85), (0.2, 0.0), (-0.1, -0.95), (-0.32, -0.95), (-0.2, 0.0))
        pen.polygon(_shade(body, 0.75), (0.2, 0.0), (-0.1, 0.95), (-0.32, 0.95), (-0.2, 0.0))
        pen.polygon(mark, (-0.75, 0.0), (-0.98, -0.36), (-0.84, -0.36), (-0.55, 0.0), (-0.84, 0.36), (-0.98, 0.36))
        pen.oval(body, 0.0, 0.0, 1.0, 0.13)


def automobile(pen: Pen, chance: Chance) -> None:
    """A low body with a cabin, from the side; sometimes from the front."""
    paint = _vivid(chance)
    if chance.random() < 0.75:
        roof = chance.uniform(-0.5, -0.3)
        pen.polygon(_shade(paint, 0.9), (-0.65, -0.05), (-0.4, roof), (0.25, roof), (0.6, -0.05))
        pen.polygon(GLASS, (-0.5, -0.06), (-0.33, roof + 0.08), (-0.08, roof + 0.08), (-0.08, -0.06))
        pen.polygon(GLASS, (0.0, -0.06), (0.0, roof + 0.08), (0.2, roof + 0.08), (0.45, -0.06))
        pen.polygon(paint, (-1, 0.3), (-0.97, 0.0), (-0.7, -0.08), (0.65, -0.08), (0.97, 0.08), (1, 0.3))
        for x in (-0.58, 0.58):
            pen.oval(TYRE, x, 0.32, 0.22, 0.22)
            pen.oval((150, 150, 155), x, 0.32, 0.09, 0.09)
        pen.oval((250, 240, 170), 0.93, 0.1, 0.06, 0.06)
    else:
        pen.box(TYRE, -0.72, 0.3, -0.45, 0.62)
        pen.box(TYRE, 0.45, 0.3, 0.72, 0.62)
        pen.polygon(_shade(paint, 0.9), (-0.6, -0.05), (-0.42, -0.5), (0.42, -0.5), (0.6, -0.05))
        pen.polygon(GLASS, (-0.48, -0.06), (-0.35, -0.42), (0.35, -0.42), (0.48, -0.06))
        pen.box(paint, -0.78, -0.06, 0.78, 0.45)
        pen.box(_shade(paint, 0.4), -0.35, 0.15, 0.35, 0.32)
        for x in (-0.56, 0.56):
            pen.oval((250, 240, 170), x, 0.14, 0.12, 0.1)


def bird(pen: Pen, chance: Chance) -> None:
    """Sitting or flying."""
    plumage = _around(chance, _one_of(chance, (150, 90, 60), (70, 110, 180), (205, 70, 60), (225, 190, 80), BLACK), 22)
    belly = _mix(plumage, WHITE, 0.45)
    beak = _around(chance, (235, 160, 40), 15)
    if chance.random() < 0.65:
        pen.stroke(_shade(beak, 0.7), 0.05, (-0.05, 0.35), (-0.1, 0.85))
        pen.stroke(_shade(beak, 0.7), 0.05, (0.15, 0.35), (0.15, 0.85))
        pen.polygon(_shade(plumage, 0.75), (-0.35, 0.0), (-1.0, 0.45), (-0.9, 0.6), (-0.25, 0.35))
        pen.oval(plumage, 0.0, 0.1, 0.5, 0.36, -0.45)
        pen.oval(belly, 0.12, 0.22, 0.3, 0.22)
        pen.oval(_shade(plumage, 0.7), -0.14, 0.08, 0.36, 0.17, 0.4)
        pen.oval(plumage, 0.42, -0.32, 0.25, 0.24)
        pen.polygon(beak, (0.6, -0.42), (1.0, -0.28), (0.6, -0.22))
        pen.oval(BLACK, 0.5, -0.36, 0.06, 0.06)
    else:
        lift = chance.uniform(-0.9, -0.4)
        pen.polygon(_shade(plumage, 0.8), (-0.2, 0.0), (0.25, 0.0), (-0.15, lift), (-0.7, lift - 0.05))
        pen.polygon(_shade(plumage, 0.65), (-0.45, 0.1), (-1.0, 0.0), (-1.0, 0.35))
        pen.oval(plumage, 0.0, 0.1, 0.6, 0.2)
        pen.oval(belly, 0.1, 0.18, 0.4, 0.1)
        pen.polygon(plumage, (0.0, 0.0), (0.35, 0.05), (0.5, lift * 0.9), (0.3, lift))
        pen.oval(plumage, 0.58, -0.02, 0.19, 0.18)
        pen.polygon(beak, (0.72, -0.08), (1.05, 0.03), (0.72, 0.08))
        pen.oval(BLACK, 0.63, -0.06, 0.05, 0.05)


def cat(pen: Pen, chance: Chance) -> None:
    """A face with pointed ears and whiskers, or the whole cat sitting."""
    fur = _fur(chance)
    eye = _around(chance, _one_of(chance, (120, 190, 80), (230, 190, 60), (110, 180, 220)), 15)
    whole = chance.random() < 0.45
    if whole:
        pen.stroke(_shade(fur, 0.8), 0.16, (-0.4, 0.8), (-0.85, 0.6), (-0.85, 0.1))
        pen.oval(fur, -0.05, 0.5, 0.45, 0.5)
        pen.oval(_mix(fur, WHITE, 0.4), 0.05, 0.55, 0.2, 0.35)
        pen.oval(_shade(fur, 0.9), 0.2, 0.92, 0.16, 0.1)
    scale, down = (0.62, -0.35) if whole else (1.0, 0.0)

    def at(x: float, y: float) -> Point:
        return x * scale, y * scale + down

    for side in (-1, 1):
        pen.polygon(fur, at(side * 0.72, -0.05), at(side * 0.68, -0.92), at(side * 0.12, -0.5))
        pen.polygon((225, 150, 150), at(side * 0.6, -0.35), at(side * 0.6, -0.72), at(side * 0.34, -0.5))
    pen.oval(fur, *at(0, 0.1), 0.76 * scale, 0.64 * scale)
    for x in (-0.2, 0.0, 0.2):
        pen.stroke(_shade(fur, 0.6), 0.06 * scale, at(x, -0.5), at(x * 0.8, -0.25))
    for side in (-1, 1):
        pen.oval(eye, *at(side * 0.32, 0.0), 0.17 * scale, 0.14 * scale)
        pen.oval(BLACK, *at(side * 0.32, 0.0), 0.05 * scale, 0.13 * scale)
        for y in (0.25, 0.4):
            pen.stroke(WHITE, 0.03, at(side * 0.2, 0.32), at(side * 0.95, y))
    pen.polygon((215, 120, 130), at(-0.1, 0.25), at(0.1, 0.25), at(0, 0.38))


def deer(pen: Pen, chance: Chance) -> None:
    """Slender, with antlers; standing or only the head."""
    coat = _around(chance, _one_of(chance, (165, 110, 65), (190, 140, 90), (125, 85, 55)), 14)
    antler = _around(chance, (215, 195, 160), 15)
    if chance.random() < 0.7:
        for x in (-0.55, -0.4, 0.22, 0.38):
            pen.stroke(_shade(coat, 0.75), 0.07, (x, 0.2), (x + 0.03, 0.95))
        pen.oval(coat, -0.1, 0.12, 0.58, 0.24)
        pen.oval(WHITE, -0.68, 0.05, 0.1, 0.12)
        pen.polygon(coat, (0.15, 0.1), (0.48, 0.15), (0.68, -0.35), (0.48, -0.42))
        pen.oval(coat, 0.7, -0.36, 0.26, 0.12, 0.35)
        pen.polygon(_shade(coat, 0.8), (0.5, -0.4), (0.32, -0.5), (0.46, -0.3))
        for x in (-1, 1):
            pen.stroke(antler, 0.06, (0.56, -0.45), (0.56 + 0.12 * x, -0.72), (0.56 + 0.3 * x, -1.0))
            pen.stroke(antler, 0.05, (0.56 + 0.12 * x, -0.72), (0.56 + 0.34 * x, -0.74))
        pen.oval(BLACK, 0.7, -0.4, 0.04, 0.04)
    else:
        for side in (-1, 1):
            pen.stroke(antler, 0.08, (side * 0.15, -0.4), (side * 0.35, -0.75), (side * 0.3, -1.05))
            pen.stroke(antler, 0.07, (side * 0.35, -0.75), (side * 0.75, -0.95))
            pen.stroke(antler, 0.06, (side * 0.5, -0.83), (side * 0.75, -0.65))
            pen.oval(_shade(coat, 0.8), side * 0.55, -0.25, 0.26, 0.12, -side * 0.3)
        pen.polygon(coat, (-0.4, 1.0), (-0.25, 0.3), (0.25, 0.3), (0.4, 1.0))
        pen.polygon(coat, (-0.36, -0.4), (0.36, -0.4), (0.2, 0.6), (-0.2, 0.6))
        pen.oval(_mix(coat, WHITE, 0.4), 0, 0.48, 0.2, 0.2)
        pen.oval(BLACK, 0, 0.42, 0.1, 0.08)
        for side in (-1, 1):
            pen.oval(BLACK, side * 0.26, -0.12, 0.07, 0.08)


def dog(pen: Pen, chance: Chance) -> None:
    """A face with hanging ears and a snout, or the whole dog standing."""
    fur = _fur(chance)
    ear = _shade(fur, chance.uniform(0.5, 0.75))
    if chance.random() < 0.55:
        pen.oval(fur, 0, -0.05, 0.62, 0.66)
        for side in (-1, 1):
            pen.oval(ear, side * 0.66, 0.05, 0.22, 0.55, side * -0.15)
            pen.oval(BLACK, side * 0.26, -0.18, 0.09, 0.1)
        pen.oval(_mix(fur, WHITE, 0.55), 0, 0.35, 0.4, 0.34)
        pen.polygon((225, 110, 125), (-0.1, 0.5), (0.12, 0.5), (0.1, 0.85), (-0.06, 0.85))
        pen.oval(BLACK, 0, 0.2, 0.17, 0.12)
    else:
        wag = chance.uniform(-0.7, -0.3)
        pen.stroke(fur, 0.12, (-0.6, 0.05), (-0.95, wag))
        for x in (-0.5, -0.32, 0.25, 0.42):
            pen.stroke(_shade(fur, 0.8), 0.14, (x, 0.25), (x, 0.8))
        pen.oval(fur, -0.08, 0.15, 0.6, 0.27)
        pen.oval(fur, 0.58, -0.25, 0.3, 0.28)
        pen.oval(_mix(fur, WHITE, 0.4), 0.83, -0.14, 0.22, 0.14)
        pen.oval(BLACK, 1.0, -0.2, 0.08, 0.07)
        pen.oval(ear, 0.4, -0.2, 0.13, 0.28)
        pen.oval(BLACK, 0.65, -0.35, 0.06, 0.06)


def frog(pen: Pen, chance: Chance) -> None:
    """Squat, with eyes on top of the head."""
    skin = _around(chance, _one_of(chance, (90, 165, 60), (60, 125, 55), (130, 150, 60), (150, 115, 65)), 18)
    for side in (-1, 1):
        pen.oval(_shade(skin, 0.75), side * 0.66, 0.45, 0.38, 0.25, side * 0.5)
        pen.oval(_shade(skin, 0.65), side * 0.75, 0.75, 0.28, 0.09)
        pen.stroke(_shade(skin, 0.7), 0.13, (side * 0.3, 0.5), (side * 0.35, 0.8))
    pen.oval(skin, 0, 0.3, 0.68, 0.48)
    pen.oval(_mix(skin, (240, 240, 190), 0.55), 0, 0.52, 0.42, 0.25)
    pen.oval(skin, 0, -0.05, 0.6, 0.34)
    for side in (-1, 1):
        pen.oval(skin, side * 0.36, -0.36, 0.22, 0.22)
        pen.oval((245, 225, 110), side * 0.37, -0.38, 0.15, 0.15)
        pen.oval(BLACK, side * 0.37, -0.38, 0.08, 0.06)
    pen.stroke(_shade(skin, 0.45), 0.05, (-0.45, 0.05), (0, 0.15), (0.45, 0.05))
    for x, y in chance.uniform(-0.4, 0.4, (3, 2)):
        pen.oval(_shade(skin, 0.7), x, 0.3 + y * 0.5, 0.08, 0.06)


def horse(pen: Pen, chance: Chance) -> None:
    """Sturdy, with a mane and a tail; standing or running."""
    coat = _around(chance, _one_of(chance, (120, 70, 40), (165, 105, 60), (60, 48, 44), (215, 210, 200)), 14)
    mane = _one_of(chance, (40, 30, 26), (205, 180, 130)) if sum(coat) > 200 else (25, 22, 22)
    stride = chance.uniform(0.0, 0.35)
    pen.stroke(mane, 0.16, (-0.62, -0.05), (-0.85, 0.15), (-0.88, 0.6))
    for x, step in ((-0.5, -stride), (-0.32, stride), (0.28, -stride), (0.44, stride)):
        pen.stroke(_shade(coat, 0.8), 0.13, (x, 0.2), (x + step * 0.7, 0.55), (x + step, 0.95))
    pen.oval(coat, -0.06, 0.08, 0.64, 0.3)
    pen.polygon(coat, (0.15, 0.05), (0.55, 0.2), (0.8, -0.45), (0.5, -0.72))
    pen.stroke(mane, 0.14, (0.22, -0.05), (0.42, -0.5), (0.58, -0.75))
    pen.polygon(coat, (0.5, -0.78), (0.72, -0.72), (1.05, -0.3), (0.95, -0.15), (0.6, -0.4))
    pen.polygon(coat, (0.52, -0.7), (0.58, -0.95), (0.68, -0.7))
    pen.oval(BLACK, 0.7, -0.56, 0.05, 0.05)


def ship(pen: Pen, chance: Chance) -> None:
    """A liner or freighter, or a sailing boat."""
    hull = _vivid(chance) if chance.random() < 0.6 else _around(chance, (70, 75, 90), 20)
    if chance.random() < 0.65:
        deck = _around(chance, (230, 230, 225), 14)
        funnel = _vivid(chance)
        pen.box(funnel, -0.2, -0.6, 0.0, -0.2)
        pen.box(funnel, 0.15, -0.55, 0.32, -0.2)
        pen.box(deck, -0.55, -0.28, 0.5, 0.12)
        pen.stroke(_shade(GLASS, 0.6), 0.06, (-0.48, -0.1), (0.45, -0.1))
        pen.stroke((90, 90, 95), 0.04, (0.62, 0.1), (0.62, -0.5))
        pen.polygon(hull, (-0.98, 0.08), (1.02, 0.08), (0.72, 0.48), (-0.8, 0.48))
        pen.polygon(_shade(hull, 0.6), (-0.88, 0.36), (0.82, 0.36), (0.72, 0.48), (-0.8, 0.48))
    else:
        sail = _around(chance, _one_of(chance, WHITE, (235, 220, 180), (220, 90, 80)), 14)
        pen.stroke((110, 80, 50), 0.06, (0, 0.4), (0, -1.0))
        pen.polygon(sail, (0.06, -0.95), (0.75, 0.2), (0.06, 0.2))
        pen.polygon(_shade(sail, 0.85), (-0.06, -0.85), (-0.55, 0.2), (-0.06, 0.2))
        pen.polygon(hull, (-0.85, 0.3), (0.9, 0.3), (0.6, 0.6), (-0.6, 0.6))
    pen.stroke(_mix(GLASS, WHITE, 0.5), 0.06, (-1.1, 0.55), (-0.4, 0.5), (0.3, 0.56), (1.1, 0.5))


def truck(pen: Pen, chance: Chance) -> None:
    """A cab with a tall box or a dump body behind it."""
    cab = _vivid(chance)
    load = _around(chance, (225, 222, 215), 18) if chance.random() < 0.55 else _vivid(chance)
    top = chance.uniform(-0.75, -0.5)
    pen.box((60, 60, 66), -0.98, 0.28, 0.95, 0.42)
    if chance.random() < 0.75:
        pen.box(load, -1.0, top, 0.36, 0.3)
        pen.stroke(_shade(load, 0.75), 0.05, (-0.3, top + 0.05), (-0.3, 0.25))
        pen.stroke(_shade(load, 0.7), 0.06, (-1.0, 0.27), (0.36, 0.27))
    else:
        pen.polygon(load, (-1.05, -0.35), (0.36, -0.35), (0.25, 0.3), (-0.85, 0.3))
        pen.polygon((140, 105, 70), (-0.9, -0.35), (-0.3, -0.65), (0.25, -0.35))
    pen.polygon(cab, (0.44, 0.36), (0.44, -0.4), (0.78, -0.4), (0.98, 0.0), (0.98, 0.36))
    pen.polygon(GLASS, (0.55, -0.03), (0.55, -0.3), (0.74, -0.3), (0.88, -0.03))
    for x in (-0.7, -0.3, 0.68):
        pen.oval(TYRE, x, 0.46, 0.19, 0.19)
        pen.oval((150, 150, 155), x, 0.46, 0.07, 0.07)


def sky(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Sky from above to below, with clouds."""
    high = _around(chance, _one_of(chance, (90, 150, 215), (150, 185, 215), (190, 195, 200), (215, 160, 120)), 22)
    _fade(drawing, high, _mix(high, WHITE, chance.uniform(0.2, 0.7)), 0, CANVAS)
    for x, y, size in chance.uniform(0, 1, (int(chance.integers(0, 4)), 3)):
        half = CANVAS * (0.06 + 0.14 * size)
        box = (x * CANVAS - 2 * half, y * CANVAS - half, x * CANVAS + 2 * half, y * CANVAS + half)
        drawing.ellipse(box, fill=_mix(high, WHITE, 0.75))


def meadow(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Grass, sand or snow under some sky or trees."""
    ground = _around(
        chance, _one_of(chance, (95, 140, 65), (130, 150, 80), (185, 165, 115), (150, 120, 85), (225, 228, 232)), 20
    )
    behind = _around(chance, _one_of(chance, (150, 190, 220), (60, 95, 60), (200, 205, 205), (110, 130, 90)), 20)
    horizon = int(CANVAS * chance.uniform(0.0, 0.65))
    _fade(drawing, behind, _mix(behind, WHITE, 0.25), 0, horizon)
    _fade(drawing, ground, _shade(ground, 0.75), horizon, CANVAS)
    for x, y in chance.uniform(0, CANVAS, (int(chance.integers(4, 14)), 2)):
        drawing.line((x, y, x + 2, y - 7), fill=_shade(ground, 0.8), width=2)


def road(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Asphalt before sky, houses or trees."""
    horizon = int(CANVAS * chance.uniform(0.35, 0.65))
    sky(drawing, chance) if chance.random() < 0.6 else meadow(drawing, chance)
    for x, width, height in chance.uniform(0.1, 0.6, (int(chance.integers(0, 4)), 3)):
        left, top = int((x * 1.8 - 0.2) * CANVAS), int(horizon - height * CANVAS * 0.7)
        wall = _around(chance, (150, 140, 132), 40)
        drawing.rectangle((left, top, left + int(width * CANVAS * 0.6), horizon), fill=wall)
    grey = int(chance.integers(70, 165))
    _fade(drawing, (grey, grey, grey), (grey - 25, grey - 25, grey - 22), horizon, CANVAS)


def water(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Water with waves under a sky."""
    sky(drawing, chance)
    horizon = int(CANVAS * chance.uniform(0.35, 0.7))
    deep = _around(chance, _one_of(chance, (40, 90, 140), (60, 120, 130), (90, 110, 120)), 18)
    _fade(drawing, _mix(deep, WHITE, 0.2), deep, horizon, CANVAS)
    for x, y in chance.uniform(0, 1, (int(chance.integers(3, 9)), 2)):
        left, top = x * CANVAS, horizon + y * (CANVAS - horizon)
        drawing.line((left, top, left + 14, top), fill=_mix(deep, WHITE, 0.35), width=2)


def room(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """A wall and a floor, plain or with something hanging there."""
    wall = _around(chance, _one_of(chance, (205, 190, 165), (150, 165, 180), (180, 120, 105), (110, 100, 95)), 25)
    floor = _around(chance, (140, 100, 70), 25)
    edge = int(CANVAS * chance.uniform(0.5, 1.0))
    _fade(drawing, wall, _shade(wall, 0.85), 0, edge)
    _fade(drawing, floor, _shade(floor, 0.8), edge, CANVAS)
    if chance.random() < 0.5:
        left, top = chance.uniform(0, CANVAS * 0.7, 2)
        drawing.rectangle((left, top * 0.5, left + 22, top * 0.5 + 26), fill=_vivid(chance))


Figure = Callable[[Pen, Chance], None]
Background = Callable[[ImageDraw.ImageDraw, Chance], None]

FIGURES: dict[str, tuple[Figure, tuple[Background, ...]]] = {
    "airplane": (airplane, (sky, sky, sky, road, water)),
    "automobile": (automobile, (road, road, road, meadow, room)),
    "bird": (bird, (sky, sky, meadow, water)),
    "cat": (cat, (room, room, meadow, road)),
    "deer": (deer, (meadow, meadow, meadow, sky)),
    "dog": (dog, (room, meadow, meadow, road)),
    "frog": (frog, (meadow, meadow, water)),
    "horse": (horse, (meadow, meadow, meadow, road)),
    "ship": (ship, (water, water, water, sky)),
    "truck": (truck, (road, road, road, meadow)),
}
"""Each class with its figure and the backgrounds it may stand before; classes share backgrounds, so these alone do not
give the class away."""


def draw(name: str, chance: Chance) -> Image.Image:
    """Draw one picture of the class `name`: RGB, `SIDE` × `SIDE` pixels, without noise."""
    figure, backgrounds = FIGURES[name]
    canvas = Image.new("RGB", (CANVAS, CANVAS))
    drawing = ImageDraw.Draw(canvas)
    backgrounds[int(chance.integers(len(backgrounds)))](drawing, chance)
    figure(Pen(drawing, chance), chance)
    return canvas.reduce(FINENESS)


def _one_of(chance: Chance, *colours: Colour) -> Colour:
    return colours[int(chance.integers(len(colours)))]


def _around(chance: Chance, colour: Colour, spread: int) -> Colour:
    together, red, green, blue = chance.integers(-spread, spread + 1, 4).tolist()
    return (
        _byte(colour[0] + together + red // 2),
        _byte(colour[1] + together + green // 2),
        _byte(colour[2] + together + blue // 2),
    )


def _vivid(chance: Chance) -> Colour:
    return _around(
        chance,
        _one_of(
            chance,
            (200, 45, 45),
            (40, 90, 180),
            (235, 190, 50),
            (50, 130, 80),
            (230, 230, 228),
            (45, 45, 52),
            (235, 120, 40),
        ),
        20,
    )


def _fur(chance: Chance) -> Colour:
    return _around(
        chance, _one_of(chance, (205, 135, 70), (130, 125, 122), (60, 56, 56), (225, 215, 200), (150, 105, 70)), 18
    )


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    return (
        _byte(colour[0] + (other[0] - colour[0]) * share),
        _byte(colour[1] + (other[1] - colour[1]) * share),
        _byte(colour[2] + (other[2] - colour[2]) * share),
    )


def _shade(colour: Colour, light: float) -> Colour:
    return _mix((0, 0, 0), colour, light)


def _byte(value: float) -> int:
    return min(255, max(0, round(value)))


def _fade(drawing: ImageDraw.ImageDraw, upper: Colour, lower: Colour, top: int, bottom: int) -> None:
    for y in range(top, bottom, FINENESS):
        drawing.rectangle(
            (0, y, CANVAS, min(bottom, y + FINENESS)), fill=_mix(upper, lower, (y - top) / (bottom - top))
        )
