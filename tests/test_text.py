"""Texts cut to cells, and bars."""

import math

from cifartui.text import bar, cells, column, shortened


def test_bars_differ_by_eighths() -> None:
    """41.6 % and 45.4 % look different, whatever is more than nothing shows, and the width is kept."""
    assert bar(0.416, 10) == "████▏     "
    assert bar(0.454, 10) == "████▌     "
    assert bar(0.0001, 10) == "▏         "
    assert bar(1, 10) == bar(2, 10) == "██████████"
    assert bar(0.5, 0) == ""
    assert bar(0, 10) == bar(-1, 10) == bar(math.nan, 10) == " " * 10


def test_what_is_cut_has_a_mark() -> None:
    """Wide characters take two cells and combining ones none; a column has exactly its width."""
    assert shortened("aquarium_fish", 11) == "aquarium_f…"
    assert shortened("aquarium_fish", 13) == "aquarium_fish"
    assert cells("猫猫") == 4
    assert shortened("猫猫猫", 5) == "猫猫…"
    assert shortened("猫猫猫", 4) == "猫…"
    assert column("猫猫猫", 4) == "猫… "
    assert cells(column("e\u0301tude", 8)) == 8
