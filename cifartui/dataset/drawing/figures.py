"""One airplane, one automobile … each time a little different."""

from cifartui.dataset.drawing.colours import (
    BLACK,
    GLASS,
    TYRE,
    WHITE,
    Chance,
    around,
    fur_colour,
    mix,
    one_of,
    paint_colour,
    shade,
)
from cifartui.dataset.drawing.pen import Pen, Point


def airplane(pen: Pen, chance: Chance) -> None:
    """From the side or from below."""
    body = around(chance, one_of(chance, (225, 228, 232), (190, 200, 210), (120, 130, 145)), 18)
    mark = paint_colour(chance)
    if chance.random() < 0.55:
        pen.polygon(mark, (-0.95, -0.5), (-0.72, -0.5), (-0.5, 0.0), (-0.85, 0.0))
        pen.oval(body, 0.0, 0.05, 1.0, 0.17)
        pen.polygon(shade(body, 0.7), (-0.25, 0.1), (0.2, 0.1), (-0.3, 0.55), (-0.5, 0.55))
        pen.polygon(shade(body, 0.85), (-0.1, 0.0), (0.12, 0.0), (-0.2, -0.32), (-0.32, -0.32))
        pen.stroke(shade(GLASS, 0.6), 0.05, (-0.5, 0.0), (0.75, 0.0))
    else:
        pen.polygon(shade(body, 0.85), (0.2, 0.0), (-0.1, -0.95), (-0.32, -0.95), (-0.2, 0.0))
        pen.polygon(shade(body, 0.75), (0.2, 0.0), (-0.1, 0.95), (-0.32, 0.95), (-0.2, 0.0))
        pen.polygon(mark, (-0.75, 0.0), (-0.98, -0.36), (-0.84, -0.36), (-0.55, 0.0), (-0.84, 0.36), (-0.98, 0.36))
        pen.oval(body, 0.0, 0.0, 1.0, 0.13)


def automobile(pen: Pen, chance: Chance) -> None:
    """A low body with a cabin, from the side; sometimes from the front."""
    paint = paint_colour(chance)
    if chance.random() < 0.75:
        roof = chance.uniform(-0.5, -0.3)
        pen.polygon(shade(paint, 0.9), (-0.65, -0.05), (-0.4, roof), (0.25, roof), (0.6, -0.05))
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
        pen.polygon(shade(paint, 0.9), (-0.6, -0.05), (-0.42, -0.5), (0.42, -0.5), (0.6, -0.05))
        pen.polygon(GLASS, (-0.48, -0.06), (-0.35, -0.42), (0.35, -0.42), (0.48, -0.06))
        pen.box(paint, -0.78, -0.06, 0.78, 0.45)
        pen.box(shade(paint, 0.4), -0.35, 0.15, 0.35, 0.32)
        for x in (-0.56, 0.56):
            pen.oval((250, 240, 170), x, 0.14, 0.12, 0.1)


def bird(pen: Pen, chance: Chance) -> None:
    """Sitting or flying."""
    plumage = around(chance, one_of(chance, (150, 90, 60), (70, 110, 180), (205, 70, 60), (225, 190, 80), BLACK), 22)
    belly = mix(plumage, WHITE, 0.45)
    beak = around(chance, (235, 160, 40), 15)
    if chance.random() < 0.65:
        pen.stroke(shade(beak, 0.7), 0.05, (-0.05, 0.35), (-0.1, 0.85))
        pen.stroke(shade(beak, 0.7), 0.05, (0.15, 0.35), (0.15, 0.85))
        pen.polygon(shade(plumage, 0.75), (-0.35, 0.0), (-1.0, 0.45), (-0.9, 0.6), (-0.25, 0.35))
        pen.oval(plumage, 0.0, 0.1, 0.5, 0.36, -0.45)
        pen.oval(belly, 0.12, 0.22, 0.3, 0.22)
        pen.oval(shade(plumage, 0.7), -0.14, 0.08, 0.36, 0.17, 0.4)
        pen.oval(plumage, 0.42, -0.32, 0.25, 0.24)
        pen.polygon(beak, (0.6, -0.42), (1.0, -0.28), (0.6, -0.22))
        pen.oval(BLACK, 0.5, -0.36, 0.06, 0.06)
    else:
        lift = chance.uniform(-0.9, -0.4)
        pen.polygon(shade(plumage, 0.8), (-0.2, 0.0), (0.25, 0.0), (-0.15, lift), (-0.7, lift - 0.05))
        pen.polygon(shade(plumage, 0.65), (-0.45, 0.1), (-1.0, 0.0), (-1.0, 0.35))
        pen.oval(plumage, 0.0, 0.1, 0.6, 0.2)
        pen.oval(belly, 0.1, 0.18, 0.4, 0.1)
        pen.polygon(plumage, (0.0, 0.0), (0.35, 0.05), (0.5, lift * 0.9), (0.3, lift))
        pen.oval(plumage, 0.58, -0.02, 0.19, 0.18)
        pen.polygon(beak, (0.72, -0.08), (1.05, 0.03), (0.72, 0.08))
        pen.oval(BLACK, 0.63, -0.06, 0.05, 0.05)


def cat(pen: Pen, chance: Chance) -> None:
    """A face with pointed ears and whiskers, or the whole cat sitting."""
    fur = fur_colour(chance)
    eye = around(chance, one_of(chance, (120, 190, 80), (230, 190, 60), (110, 180, 220)), 15)
    whole = chance.random() < 0.45
    if whole:
        pen.stroke(shade(fur, 0.8), 0.16, (-0.4, 0.8), (-0.85, 0.6), (-0.85, 0.1))
        pen.oval(fur, -0.05, 0.5, 0.45, 0.5)
        pen.oval(mix(fur, WHITE, 0.4), 0.05, 0.55, 0.2, 0.35)
        pen.oval(shade(fur, 0.9), 0.2, 0.92, 0.16, 0.1)
    scale, down = (0.62, -0.35) if whole else (1.0, 0.0)

    def at(x: float, y: float) -> Point:
        return x * scale, y * scale + down

    for side in (-1, 1):
        pen.polygon(fur, at(side * 0.72, -0.05), at(side * 0.68, -0.92), at(side * 0.12, -0.5))
        pen.polygon((225, 150, 150), at(side * 0.6, -0.35), at(side * 0.6, -0.72), at(side * 0.34, -0.5))
    pen.oval(fur, *at(0, 0.1), 0.76 * scale, 0.64 * scale)
    for x in (-0.2, 0.0, 0.2):
        pen.stroke(shade(fur, 0.6), 0.06 * scale, at(x, -0.5), at(x * 0.8, -0.25))
    for side in (-1, 1):
        pen.oval(eye, *at(side * 0.32, 0.0), 0.17 * scale, 0.14 * scale)
        pen.oval(BLACK, *at(side * 0.32, 0.0), 0.05 * scale, 0.13 * scale)
        for y in (0.25, 0.4):
            pen.stroke(WHITE, 0.03, at(side * 0.2, 0.32), at(side * 0.95, y))
    pen.polygon((215, 120, 130), at(-0.1, 0.25), at(0.1, 0.25), at(0, 0.38))


def deer(pen: Pen, chance: Chance) -> None:
    """Slender, with antlers; standing or only the head."""
    coat = around(chance, one_of(chance, (165, 110, 65), (190, 140, 90), (125, 85, 55)), 14)
    antler = around(chance, (215, 195, 160), 15)
    if chance.random() < 0.7:
        for x in (-0.55, -0.4, 0.22, 0.38):
            pen.stroke(shade(coat, 0.75), 0.07, (x, 0.2), (x + 0.03, 0.95))
        pen.oval(coat, -0.1, 0.12, 0.58, 0.24)
        pen.oval(WHITE, -0.68, 0.05, 0.1, 0.12)
        pen.polygon(coat, (0.15, 0.1), (0.48, 0.15), (0.68, -0.35), (0.48, -0.42))
        pen.oval(coat, 0.7, -0.36, 0.26, 0.12, 0.35)
        pen.polygon(shade(coat, 0.8), (0.5, -0.4), (0.32, -0.5), (0.46, -0.3))
        for x in (-1, 1):
            pen.stroke(antler, 0.06, (0.56, -0.45), (0.56 + 0.12 * x, -0.72), (0.56 + 0.3 * x, -1.0))
            pen.stroke(antler, 0.05, (0.56 + 0.12 * x, -0.72), (0.56 + 0.34 * x, -0.74))
        pen.oval(BLACK, 0.7, -0.4, 0.04, 0.04)
    else:
        for side in (-1, 1):
            pen.stroke(antler, 0.08, (side * 0.15, -0.4), (side * 0.35, -0.75), (side * 0.3, -1.05))
            pen.stroke(antler, 0.07, (side * 0.35, -0.75), (side * 0.75, -0.95))
            pen.stroke(antler, 0.06, (side * 0.5, -0.83), (side * 0.75, -0.65))
            pen.oval(shade(coat, 0.8), side * 0.55, -0.25, 0.26, 0.12, -side * 0.3)
        pen.polygon(coat, (-0.4, 1.0), (-0.25, 0.3), (0.25, 0.3), (0.4, 1.0))
        pen.polygon(coat, (-0.36, -0.4), (0.36, -0.4), (0.2, 0.6), (-0.2, 0.6))
        pen.oval(mix(coat, WHITE, 0.4), 0, 0.48, 0.2, 0.2)
        pen.oval(BLACK, 0, 0.42, 0.1, 0.08)
        for side in (-1, 1):
            pen.oval(BLACK, side * 0.26, -0.12, 0.07, 0.08)


def dog(pen: Pen, chance: Chance) -> None:
    """A face with hanging ears and a snout, or the whole dog standing."""
    fur = fur_colour(chance)
    ear = shade(fur, chance.uniform(0.5, 0.75))
    if chance.random() < 0.55:
        pen.oval(fur, 0, -0.05, 0.62, 0.66)
        for side in (-1, 1):
            pen.oval(ear, side * 0.66, 0.05, 0.22, 0.55, side * -0.15)
            pen.oval(BLACK, side * 0.26, -0.18, 0.09, 0.1)
        pen.oval(mix(fur, WHITE, 0.55), 0, 0.35, 0.4, 0.34)
        pen.polygon((225, 110, 125), (-0.1, 0.5), (0.12, 0.5), (0.1, 0.85), (-0.06, 0.85))
        pen.oval(BLACK, 0, 0.2, 0.17, 0.12)
    else:
        wag = chance.uniform(-0.7, -0.3)
        pen.stroke(fur, 0.12, (-0.6, 0.05), (-0.95, wag))
        for x in (-0.5, -0.32, 0.25, 0.42):
            pen.stroke(shade(fur, 0.8), 0.14, (x, 0.25), (x, 0.8))
        pen.oval(fur, -0.08, 0.15, 0.6, 0.27)
        pen.oval(fur, 0.58, -0.25, 0.3, 0.28)
        pen.oval(mix(fur, WHITE, 0.4), 0.83, -0.14, 0.22, 0.14)
        pen.oval(BLACK, 1.0, -0.2, 0.08, 0.07)
        pen.oval(ear, 0.4, -0.2, 0.13, 0.28)
        pen.oval(BLACK, 0.65, -0.35, 0.06, 0.06)


def frog(pen: Pen, chance: Chance) -> None:
    """Squat, with eyes on top of the head."""
    skin = around(chance, one_of(chance, (90, 165, 60), (60, 125, 55), (130, 150, 60), (150, 115, 65)), 18)
    for side in (-1, 1):
        pen.oval(shade(skin, 0.75), side * 0.66, 0.45, 0.38, 0.25, side * 0.5)
        pen.oval(shade(skin, 0.65), side * 0.75, 0.75, 0.28, 0.09)
        pen.stroke(shade(skin, 0.7), 0.13, (side * 0.3, 0.5), (side * 0.35, 0.8))
    pen.oval(skin, 0, 0.3, 0.68, 0.48)
    pen.oval(mix(skin, (240, 240, 190), 0.55), 0, 0.52, 0.42, 0.25)
    pen.oval(skin, 0, -0.05, 0.6, 0.34)
    for side in (-1, 1):
        pen.oval(skin, side * 0.36, -0.36, 0.22, 0.22)
        pen.oval((245, 225, 110), side * 0.37, -0.38, 0.15, 0.15)
        pen.oval(BLACK, side * 0.37, -0.38, 0.08, 0.06)
    pen.stroke(shade(skin, 0.45), 0.05, (-0.45, 0.05), (0, 0.15), (0.45, 0.05))
    for x, y in chance.uniform(-0.4, 0.4, (3, 2)):
        pen.oval(shade(skin, 0.7), x, 0.3 + y * 0.5, 0.08, 0.06)


def horse(pen: Pen, chance: Chance) -> None:
    """Sturdy, with a mane and a tail; standing or running."""
    coat = around(chance, one_of(chance, (120, 70, 40), (165, 105, 60), (60, 48, 44), (215, 210, 200)), 14)
    mane = one_of(chance, (40, 30, 26), (205, 180, 130)) if sum(coat) > 200 else (25, 22, 22)
    stride = chance.uniform(0.0, 0.35)
    pen.stroke(mane, 0.16, (-0.62, -0.05), (-0.85, 0.15), (-0.88, 0.6))
    for x, step in ((-0.5, -stride), (-0.32, stride), (0.28, -stride), (0.44, stride)):
        pen.stroke(shade(coat, 0.8), 0.13, (x, 0.2), (x + step * 0.7, 0.55), (x + step, 0.95))
    pen.oval(coat, -0.06, 0.08, 0.64, 0.3)
    pen.polygon(coat, (0.15, 0.05), (0.55, 0.2), (0.8, -0.45), (0.5, -0.72))
    pen.stroke(mane, 0.14, (0.22, -0.05), (0.42, -0.5), (0.58, -0.75))
    pen.polygon(coat, (0.5, -0.78), (0.72, -0.72), (1.05, -0.3), (0.95, -0.15), (0.6, -0.4))
    pen.polygon(coat, (0.52, -0.7), (0.58, -0.95), (0.68, -0.7))
    pen.oval(BLACK, 0.7, -0.56, 0.05, 0.05)


def ship(pen: Pen, chance: Chance) -> None:
    """A liner or freighter, or a sailing boat."""
    hull = paint_colour(chance) if chance.random() < 0.6 else around(chance, (70, 75, 90), 20)
    if chance.random() < 0.65:
        deck = around(chance, (230, 230, 225), 14)
        funnel = paint_colour(chance)
        pen.box(funnel, -0.2, -0.6, 0.0, -0.2)
        pen.box(funnel, 0.15, -0.55, 0.32, -0.2)
        pen.box(deck, -0.55, -0.28, 0.5, 0.12)
        pen.stroke(shade(GLASS, 0.6), 0.06, (-0.48, -0.1), (0.45, -0.1))
        pen.stroke((90, 90, 95), 0.04, (0.62, 0.1), (0.62, -0.5))
        pen.polygon(hull, (-0.98, 0.08), (1.02, 0.08), (0.72, 0.48), (-0.8, 0.48))
        pen.polygon(shade(hull, 0.6), (-0.88, 0.36), (0.82, 0.36), (0.72, 0.48), (-0.8, 0.48))
    else:
        sail = around(chance, one_of(chance, WHITE, (235, 220, 180), (220, 90, 80)), 14)
        pen.stroke((110, 80, 50), 0.06, (0, 0.4), (0, -1.0))
        pen.polygon(sail, (0.06, -0.95), (0.75, 0.2), (0.06, 0.2))
        pen.polygon(shade(sail, 0.85), (-0.06, -0.85), (-0.55, 0.2), (-0.06, 0.2))
        pen.polygon(hull, (-0.85, 0.3), (0.9, 0.3), (0.6, 0.6), (-0.6, 0.6))
    pen.stroke(mix(GLASS, WHITE, 0.5), 0.06, (-1.1, 0.55), (-0.4, 0.5), (0.3, 0.56), (1.1, 0.5))


def truck(pen: Pen, chance: Chance) -> None:
    """A cab with a tall box or a dump body behind it."""
    cab = paint_colour(chance)
    load = around(chance, (225, 222, 215), 18) if chance.random() < 0.55 else paint_colour(chance)
    top = chance.uniform(-0.75, -0.5)
    pen.box((60, 60, 66), -0.98, 0.28, 0.95, 0.42)
    if chance.random() < 0.75:
        pen.box(load, -1.0, top, 0.36, 0.3)
        pen.stroke(shade(load, 0.75), 0.05, (-0.3, top + 0.05), (-0.3, 0.25))
        pen.stroke(shade(load, 0.7), 0.06, (-1.0, 0.27), (0.36, 0.27))
    else:
        pen.polygon(load, (-1.05, -0.35), (0.36, -0.35), (0.25, 0.3), (-0.85, 0.3))
        pen.polygon((140, 105, 70), (-0.9, -0.35), (-0.3, -0.65), (0.25, -0.35))
    pen.polygon(cab, (0.44, 0.36), (0.44, -0.4), (0.78, -0.4), (0.98, 0.0), (0.98, 0.36))
    pen.polygon(GLASS, (0.55, -0.03), (0.55, -0.3), (0.74, -0.3), (0.88, -0.03))
    for x in (-0.7, -0.3, 0.68):
        pen.oval(TYRE, x, 0.46, 0.19, 0.19)
        pen.oval((150, 150, 155), x, 0.46, 0.07, 0.07)
