"""Colours, and chance in choosing them."""

import numpy as np

Colour = tuple[int, int, int]
Chance = np.random.Generator

BLACK: Colour = (25, 25, 28)
WHITE: Colour = (240, 240, 236)
TYRE: Colour = (32, 32, 36)
GLASS: Colour = (150, 195, 220)


def one_of(chance: Chance, *colours: Colour) -> Colour:
    """One of the colours."""
    return colours[int(chance.integers(len(colours)))]


def around(chance: Chance, colour: Colour, spread: int) -> Colour:
    """A colour near this one: at most `spread` lighter or darker, and a little redder, greener or bluer."""
    together, red, green, blue = chance.integers(-spread, spread + 1, 4).tolist()
    return (
        _byte(colour[0] + together + red // 2),
        _byte(colour[1] + together + green // 2),
        _byte(colour[2] + together + blue // 2),
    )


def paint_colour(chance: Chance) -> Colour:
    """A colour that things are painted in."""
    return around(
        chance,
        one_of(
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


def fur_colour(chance: Chance) -> Colour:
    """A colour that cats and dogs have."""
    return around(
        chance, one_of(chance, (205, 135, 70), (130, 125, 122), (60, 56, 56), (225, 215, 200), (150, 105, 70)), 18
    )


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """The colour at `share` of the way to the other."""
    return (
        _byte(colour[0] + (other[0] - colour[0]) * share),
        _byte(colour[1] + (other[1] - colour[1]) * share),
        _byte(colour[2] + (other[2] - colour[2]) * share),
    )


def shade(colour: Colour, light: float) -> Colour:
    """The colour in less light."""
    return mix((0, 0, 0), colour, light)


def _byte(value: float) -> int:
    return min(255, max(0, round(value)))
