"""What is to be explained, and the explanation: a lesson with the values in hand."""

import re
from collections.abc import Mapping

import msgspec

from cifartui.lessons.code import part_lines
from cifartui.lessons.lesson import Lesson
from cifartui.model.layers import Layer
from cifartui.training.recipes.recipe import Recipe

Value = str | int | float
PLACE = re.compile(r"\{([a-z0-9_.]+)\}")
"""Where a value goes in a lesson's text."""


class Topic(msgspec.Struct, frozen=True):
    """What is under the cursor, for the panel that explains."""

    key: str
    """Of its lesson: `layer.conv2d`."""
    values: Mapping[str, Value] = {}
    """The numbers in hand, by the names that the lesson has for them."""
    lead: str = ""
    """What is said of it where it is defined, before the lesson's own text: a setting's description."""
    recipe: Recipe | None = None
    """The settings that it is about, where they are not those in hand: a run's."""
    layer: Layer | None = None
    """The layer that it is about."""


class Explanation(msgspec.Struct, frozen=True):
    """A lesson with the values in hand; strong and code are still marked as in the lesson."""

    title: str
    paragraphs: tuple[str, ...]
    code: tuple[str, ...] = ()
    """Lines of PyTorch."""
    ideas: tuple[str, ...] = ()


def explain(topic: Topic, lesson: Lesson, recipe: Recipe, values: Mapping[str, Value]) -> Explanation:
    """A lesson about a topic, with its values over `values` and the code of its recipe, or else of `recipe`."""
    known = {**values, **topic.values}
    said = [topic.lead] if topic.lead else []
    return Explanation(
        title=filled(lesson.title, known) or topic.key.rpartition(".")[2].replace("_", " "),
        paragraphs=(*said, *_all_filled(lesson.paragraphs, known)),
        code=tuple(part_lines(lesson.code, topic.recipe or recipe, topic.layer)) if lesson.code else (),
        ideas=tuple(_all_filled(lesson.ideas, known)),
    )


def _all_filled(texts: list[str] | tuple[str, ...], values: Mapping[str, Value]) -> list[str]:
    return [text for text in (filled(text, values) for text in texts) if text is not None]


def filled(text: str, values: Mapping[str, Value]) -> str | None:
    """A text with its values put in; None if one is not known."""
    if not all(name in values for name in PLACE.findall(text)):
        return None
    return PLACE.sub(lambda place: shown(values[place[1]]), text)


def shown(value: Value) -> str:
    """A value in a text: numbers with thousands, at most four significant digits behind the point."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else value
