"""What stands behind a figure."""

from PIL import ImageDraw

from cifartui.dataset.drawing.colours import WHITE, Chance, Colour, around, mix, one_of, paint_colour, shade
from cifartui.dataset.drawing.pen import CANVAS, FINENESS


def sky(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Sky from above to below, with clouds."""
    high = around(chance, one_of(chance, (90, 150, 215), (150, 185, 215), (190, 195, 200), (215, 160, 120)), 22)
    fade(drawing, high, mix(high, WHITE, chance.uniform(0.2, 0.7)), 0, CANVAS)
    for x, y, size in chance.uniform(0, 1, (int(chance.integers(0, 4)), 3)):
        half = CANVAS * (0.06 + 0.14 * size)
        box = (x * CANVAS - 2 * half, y * CANVAS - half, x * CANVAS + 2 * half, y * CANVAS + half)
        drawing.ellipse(box, fill=mix(high, WHITE, 0.75))


def meadow(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Grass, sand or snow under some sky or trees."""
    ground = around(
        chance, one_of(chance, (95, 140, 65), (130, 150, 80), (185, 165, 115), (150, 120, 85), (225, 228, 232)), 20
    )
    behind = around(chance, one_of(chance, (150, 190, 220), (60, 95, 60), (200, 205, 205), (110, 130, 90)), 20)
    horizon = int(CANVAS * chance.uniform(0.0, 0.65))
    fade(drawing, behind, mix(behind, WHITE, 0.25), 0, horizon)
    fade(drawing, ground, shade(ground, 0.75), horizon, CANVAS)
    for x, y in chance.uniform(0, CANVAS, (int(chance.integers(4, 14)), 2)):
        drawing.line((x, y, x + 2, y - 7), fill=shade(ground, 0.8), width=2)


def road(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Asphalt before sky, houses or trees."""
    horizon = int(CANVAS * chance.uniform(0.35, 0.65))
    sky(drawing, chance) if chance.random() < 0.6 else meadow(drawing, chance)
    for x, width, height in chance.uniform(0.1, 0.6, (int(chance.integers(0, 4)), 3)):
        left, top = int((x * 1.8 - 0.2) * CANVAS), int(horizon - height * CANVAS * 0.7)
        wall = around(chance, (150, 140, 132), 40)
        drawing.rectangle((left, top, left + int(width * CANVAS * 0.6), horizon), fill=wall)
    grey = int(chance.integers(70, 165))
    fade(drawing, (grey, grey, grey), (grey - 25, grey - 25, grey - 22), horizon, CANVAS)


def water(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """Water with waves under a sky."""
    sky(drawing, chance)
    horizon = int(CANVAS * chance.uniform(0.35, 0.7))
    deep = around(chance, one_of(chance, (40, 90, 140), (60, 120, 130), (90, 110, 120)), 18)
    fade(drawing, mix(deep, WHITE, 0.2), deep, horizon, CANVAS)
    for x, y in chance.uniform(0, 1, (int(chance.integers(3, 9)), 2)):
        left, top = x * CANVAS, horizon + y * (CANVAS - horizon)
        drawing.line((left, top, left + 14, top), fill=mix(deep, WHITE, 0.35), width=2)


def room(drawing: ImageDraw.ImageDraw, chance: Chance) -> None:
    """A wall and a floor, plain or with something hanging there."""
    wall = around(chance, one_of(chance, (205, 190, 165), (150, 165, 180), (180, 120, 105), (110, 100, 95)), 25)
    floor = around(chance, (140, 100, 70), 25)
    edge = int(CANVAS * chance.uniform(0.5, 1.0))
    fade(drawing, wall, shade(wall, 0.85), 0, edge)
    fade(drawing, floor, shade(floor, 0.8), edge, CANVAS)
    if chance.random() < 0.5:
        left, top = chance.uniform(0, CANVAS * 0.7, 2)
        drawing.rectangle((left, top * 0.5, left + 22, top * 0.5 + 26), fill=paint_colour(chance))


def fade(drawing: ImageDraw.ImageDraw, upper: Colour, lower: Colour, top: int, bottom: int) -> None:
    for y in range(top, bottom, FINENESS):
        drawing.rectangle((0, y, CANVAS, min(bottom, y + FINENESS)), fill=mix(upper, lower, (y - top) / (bottom - top)))
