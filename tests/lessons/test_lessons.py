"""Lessons: there is one for whatever the program shows, and none has a place that nothing fills."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import cifartui.tui
from cifartui.dataset.store import DatasetFacts
from cifartui.lessons.code import LAYER, PARTS
from cifartui.lessons.lesson import FOLDER, Lesson, lessons
from cifartui.lessons.topic import PLACE, Topic, Value, explain
from cifartui.lessons.topics import input_topic, layer_topic, setting_topic
from cifartui.lessons.values import values_in_hand
from cifartui.model.layers import KINDS
from cifartui.model.network import load_network
from cifartui.model.summary import Operation, summarize
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import Setting
from cifartui.training.run.controls import AnyControl
from cifartui.tui.in_hand import OUTSIDE_RECIPE
from cifartui.tui.run_topics import PARTS as PARTS_OF_RUNS
from cifartui.tui.widgets.explain import code_text, explanation_text, lesson_text

PANEL_CELLS, TEXT_CELLS = 44, 40
"""Of the column that explains, and of a line in it."""
LONGEST = 44
"""Lines of a lesson without the keys, at that width."""
OF_SCREENS = {"accuracy", "tested", "low", "high", "problem", "name"}
"""Values that only a screen has in hand."""
FACTS = DatasetFacts(
    name="cifar10",
    source="test",
    drawn=False,
    train=50_000,
    test=10_000,
    classes=tuple("abcdefghij"),
    class_counts={"train": (5_000,) * 10, "test": (1_000,) * 10},
    mean=(0.491, 0.482, 0.447),
    std=(0.247, 0.243, 0.262),
    image_size=(32, 32),
    sha256="",
    bytes=0,
    created=0,
)


def setting_keys(table: type = Recipe, prefix: str = "") -> Iterator[str]:
    """Every setting that a recipe can have, whichever kinds of tables it has."""
    described = msgspec.inspect.type_info(table)
    assert isinstance(described, msgspec.inspect.StructType)
    for field in described.fields:
        kind = field.type.type if isinstance(field.type, msgspec.inspect.Metadata) else field.type
        if isinstance(kind, msgspec.inspect.StructType):
            yield from setting_keys(kind.cls, f"{prefix}{field.name}.")
        elif isinstance(kind, msgspec.inspect.UnionType):
            yield f"{prefix}{field.name}.name"
            for one in kind.types:
                assert isinstance(one, msgspec.inspect.StructType)
                yield from setting_keys(one.cls, f"{prefix}{field.name}.")
        elif field.name != "description":
            yield f"{prefix}{field.name}"


@cache
def layer_topics() -> dict[str, Topic]:
    """One for each kind of layer: the first in the program's networks, or a fresh one."""
    shape = (16, 8, 8)
    fresh = [kind.fresh("new", shape) for name, kind in KINDS.items() if name != "linear"]
    topics = [layer_topic(Operation(layer, shape, layer.arithmetic(shape), 5)) for layer in fresh]
    for name in ("resnet18", "tutorial"):
        done = summarize(load_network(name)).operations
        for before, operation in reversed(list(pairwise(done))):
            topics += [layer_topic(inner) for inner in operation.inner]
            topics.append(layer_topic(operation, before))
        topics.append(layer_topic(done[0]))
    return {topic.key: topic for topic in topics}


@cache
def sources() -> str:
    """The program's screens."""
    return "\n".join(path.read_text() for path in Path(cifartui.tui.__file__).parent.rglob("*.py"))


@cache
def binding_ids() -> set[str]:
    """Of all keys of the program."""
    for module in pkgutil.walk_packages(cifartui.tui.__path__, "cifartui.tui."):
        importlib.import_module(module.name)
    kinds, ids = [DOMNode], set[str]()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        ids |= {one.id for one in kind.__dict__.get("BINDINGS", ()) if isinstance(one, Binding) and one.id}
    return ids


@cache
def known_values() -> dict[str, Value]:
    """What every lesson can name."""
    return values_in_hand(load_recipe("tutorial"), FACTS, summarize(load_network("tutorial")))


def test_everything_has_its_lesson() -> None:
    """Every setting, kind of layer, command, and whatever screens have under the cursor; and there are no others."""
    expected = {"layer.add", *(f"layer.{kind}" for kind in KINDS)}
    expected |= {f"setting.{key}" for key in (*setting_keys(), *OUTSIDE_RECIPE)}
    expected |= {f"control.{kind.__struct_config__.tag}" for kind in AnyControl.__args__}
    expected |= set(re.findall(r'Topic\(\s*"([a-z_.]+)"', sources()))
    expected |= set(PARTS_OF_RUNS.values())
    expected |= set(re.findall(r'LESSON(?:: ClassVar\[str\])? = "([a-z_.]+)"', sources()))
    expected |= {"screen", *(f"screen.{noun}" for noun in re.findall(r'NOUN = "([a-z]+)"', sources()))}
    assert expected <= set(lessons())
    one_of_each = {key for key in lessons() if key.partition(".")[0] in ("layer", "setting", "control")}
    assert one_of_each <= expected


@pytest.mark.parametrize("key", lessons())
def test_every_place_is_filled(key: str) -> None:
    """All values in braces are known, all keys named are keys, the code is a part of a script; and nothing is empty."""
    lesson, known = lessons()[key], set(known_values()) | OF_SCREENS
    if key.startswith("layer."):
        known |= set(layer_topics()[key].values) | {"before", "before_formula"}
    if key == "screen.model.input":
        known |= set(input_topic(summarize(load_network("tutorial"))).values)
    texts = (lesson.title, lesson.text, *lesson.ideas)
    named = {name for text in texts for name in PLACE.findall(text)}
    assert {name for name in named if not name.startswith("key.")} <= known
    assert {name.removeprefix("key.") for name in named if name.startswith("key.")} <= binding_ids()
    assert not re.search(r"[{}]", PLACE.sub("", " ".join(texts)))
    assert lesson.code in ("", LAYER, *PARTS)
    assert all(lesson.paragraphs)


def shown_topics() -> Iterator[Topic]:
    """One of each lesson, with what is in hand on the screens."""
    yield from layer_topics().values()
    for key in lessons():
        if key.startswith("setting."):
            yield setting_topic(Setting(key.removeprefix("setting."), "1", "A sentence of some length on what it is."))
        elif not key.startswith("layer."):
            yield Topic(
                key,
                {
                    "accuracy": "53.5 %",
                    "tested": 10_000,
                    "low": "52.5 %",
                    "high": "54.5 %",
                    "problem": "!",
                    "name": "layer1",
                },
            )


@pytest.mark.parametrize("topic", list(shown_topics()), ids=lambda topic: topic.key)
def test_it_fits_the_column_with_the_numbers_in_hand(topic: Topic) -> None:
    """At 44 columns all of it is within a panel of 160×45, and no line of code is wider than the panel."""
    keys: dict[str, Value] = {f"key.{name}": "x" for name in binding_ids()}
    shown = explain(topic, lessons()[topic.key], load_recipe("quick"), {**known_values(), **keys})
    text = explanation_text(shown, TEXT_CELLS)
    said = [lesson_text(part).plain for part in (shown.title, *shown.paragraphs, *shown.ideas)]
    assert not re.search(r"[{}`]|[*]{2}|\bNone\b", " ".join(said))
    assert max(map(len, code_text(shown.code, TEXT_CELLS).plain.splitlines()), default=0) <= TEXT_CELLS
    assert len(text.wrap(TEXT_CELLS)) <= LONGEST


def test_a_paragraph_without_its_number_is_left_out() -> None:
    """Where nothing is known of the data set, what is true of any is said; what is known is put in."""
    lesson = Lesson("{name}: why?", "Any.\n\nOf {images}\npictures.", ideas=("**{key.a.b}** does",))
    said = explain(Topic("x", {"name": "conv1", "images": 50_000}), lesson, load_recipe("tutorial"), {})
    assert (said.title, said.paragraphs, said.ideas) == ("conv1: why?", ("Any.", "Of 50,000 pictures."), ())
    assert explain(Topic("x"), lesson, load_recipe("tutorial"), {}).paragraphs == ("Any.",)


def test_a_language_is_a_file() -> None:
    """Every file beside the lessons is a language with the same keys."""
    assert [path.name for path in FOLDER.glob("*.toml")] == ["en.toml"]
    for path in FOLDER.glob("*.toml"):
        assert list(lessons(path.stem)) == list(lessons())  # type: ignore[arg-type]
