"""What the panel that explains says on a screen: the lesson of its topic, with the numbers and keys in hand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.screen import Screen, ScreenResultType

from cifartui.dataset.store import DatasetFacts, load_facts
from cifartui.errors import CifartuiError
from cifartui.lessons.lesson import Lesson, lessons
from cifartui.lessons.topic import Explanation, Topic, Value, explain
from cifartui.lessons.topics import layer_topic, setting_topic
from cifartui.lessons.values import values_in_hand
from cifartui.model.network import load_network
from cifartui.model.summary import Summary, summarize
from cifartui.training.recipes.settings import settings

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp


def explanation_of(topic: Topic, app: "CifarApp", keys: dict[str, Value]) -> Explanation:
    """The explanation of a topic, with what the app has in hand; `keys` as `keys_in_hand` gives them."""
    recipe = topic.recipe or app.recipe
    values = values_in_hand(recipe, _facts(app.dataset_name), _summary(app))
    return explain(topic, _lesson(topic.key), recipe, {**values, **keys})


def topic_in_hand(key: str, app: "CifarApp") -> Topic:
    """The topic of a lesson without the cursor on it: of a layer or setting the first in hand, if there is one."""
    return next((topic for topic in _topics_in_hand(app) if topic.key == key), Topic(key))


def _topics_in_hand(app: "CifarApp") -> Iterator[Topic]:
    yield from (setting_topic(setting) for setting in settings(app.recipe))
    before = None
    for operation in summary.operations if (summary := _summary(app)) else ():
        yield layer_topic(operation, before)
        yield from map(layer_topic, operation.inner)
        before = operation


def _lesson(key: str) -> Lesson:
    """The lesson of a key, or else of what it is a part of."""
    known = lessons()
    while key not in known:
        key = key.rpartition(".")[0] or "screen"
    return known[key]


def keys_in_hand(screen: Screen[ScreenResultType]) -> dict[str, Value]:
    """The keys that do something on a screen now, by `key.` and their bindings' ids, as lessons name them."""
    bindings = [active.binding for active in screen.active_bindings.values() if active.enabled]
    return {f"key.{one.id}": screen.app.get_key_display(one) for one in reversed(bindings) if one.id}


def own_keys(screen: Screen[ScreenResultType]) -> tuple[tuple[str, str], ...]:
    """The keys that do something on a screen now and not on all, each with what it does."""
    keys = dict[str, str]()
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id and active.node is not screen.app:
            keys.setdefault(binding.description, screen.app.get_key_display(binding))
    return tuple((key, what) for what, key in keys.items())


def _facts(dataset: str | None) -> DatasetFacts | None:
    try:
        return load_facts(dataset) if dataset else None
    except (CifartuiError, OSError):  # the dataset screen says what is wrong with it
        return None


def _summary(app: "CifarApp") -> Summary | None:
    try:
        network = app.network or load_network(app.recipe.network)
    except (CifartuiError, OSError):  # the model and training screens say it
        return None
    return None if network.factory else summarize(network)
