"""Sizes of pictures as people type them."""

import pytest

from cifartui.errors import UsageError
from cifartui.model.shapes import parse_shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [("3x32x32", (3, 32, 32)), (" 1 × 28 x 30 ", (1, 28, 30)), ("64x48", (3, 64, 48)), ("64", (3, 64, 64))],
)
def test_sizes(text: str, shape: tuple[int, int, int]) -> None:
    """Channels may be left out, and one number is a square."""
    assert parse_shape(text) == shape


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no size"),
        ("3x32x32x32", "is no size"),
        ("0x32x32", "is no size"),
        ("-3x32x32", "is no size"),
        ("3x٣x3", "is no size"),
        ("3x100000x3", "is too large: 65,536 is the most"),
        ("9" * 5000, "is no size"),
    ],
)
def test_what_is_no_size(text: str, sentence: str) -> None:
    """One sentence says what is expected."""
    with pytest.raises(UsageError, match=sentence):
        parse_shape(text)
