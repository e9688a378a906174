"""Sentences for what is wrong in a TOML file, whatever the type of the field."""

from typing import Literal

import msgspec
import pytest

from cifartui.errors import UsageError
from cifartui.toml import decode_toml


class Square(msgspec.Struct, tag="square", tag_field="kind", forbid_unknown_fields=True):
    """One of two tables."""

    side: int


class Circle(msgspec.Struct, tag="circle", tag_field="kind", forbid_unknown_fields=True):
    """The other."""

    radius: float


class Drawing(msgspec.Struct, forbid_unknown_fields=True):
    """A document with fields of several kinds."""

    limit: int | None = None
    unit: Literal["mm", "cm"] | None = None
    shapes: tuple[Square | Circle, ...] = ()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('limit = "many"', "limit = 'many' is not allowed: expected a whole number, got text."),
        ('unit = "inch"', "unit = 'inch' is not allowed: choose one of cm, mm."),
        ("shapes = [3]", "shapes.0 = 3 is not allowed: expected a table, got a whole number."),
        ('shapes = [{kind = "square", side = "x"}]', "shapes.0.side = 'x' is not allowed: expected a whole number"),
        ('shapes = [{kind = "star"}]', "shapes.0.kind = 'star' is not allowed: choose one of square, circle."),
        ('shapes = [{kind = "circle", side = 1}]', "shapes.0.side is not a setting; allowed here: kind, radius."),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(line: str, sentence: str) -> None:
    """Values that may be left out, words, and tables of several kinds."""
    with pytest.raises(UsageError) as refused:
        decode_toml(line.encode(), Drawing, "drawing.toml")
    assert str(refused.value).startswith(f"drawing.toml: {sentence}")
