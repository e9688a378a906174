"""A network made to fit a data set: its classes and the size of its pictures decide two layers' numbers."""

from typing import NamedTuple

import msgspec

from cifartui.model.layers.linear import MAX_FEATURES, Linear
from cifartui.model.network import Network
from cifartui.model.shapes import format_shape
from cifartui.model.summary import summarize


class Adaptation(NamedTuple):
    """A network as a data set wants it, and what that changed."""

    network: Network
    changes: tuple[str, ...]
    """A clause for each change: `fc1 takes 2,704 inputs for pictures of 64 × 64 (400 for 32 × 32)`."""


def adapted(network: Network, image_shape: tuple[int, int, int], classes: int) -> Adaptation:
    """Make a network take pictures of `image_shape` (`(channels, height, width)`) and tell `classes` classes apart.

    The last linear layer gets as many outputs as there are classes. The first gets as many inputs as come to it,
    if its number is right for the network's own input: one that is wrong there is a mistake, to be seen and repaired.
    A network for other channels stays one, and code of the user's own is left as it is but for the size of its input.
    """
    places = [place for place, layer in enumerate(network.layers) if isinstance(layer, Linear)]
    _, height, width = image_shape
    fitted = msgspec.structs.replace(network, input=(network.input[0], height, width))
    if not places:
        return Adaptation(fitted, ())
    changes = []
    layers = list(network.layers)
    first = layers[places[0]]
    assert isinstance(first, Linear)
    usual, coming = _features_before(network, places[0]), _features_before(fitted, places[0])
    if first.in_features == usual and coming not in (None, usual):
        layers[places[0]] = msgspec.structs.replace(first, in_features=coming)
        sizes = format_shape(image_shape[1:]), format_shape(network.input[1:])
        changes.append(f"{first.name} takes {coming:,} inputs for pictures of {sizes[0]} ({usual:,} for {sizes[1]})")
    last = layers[places[-1]]
    assert isinstance(last, Linear)
    if last.out_features != classes:
        layers[places[-1]] = msgspec.structs.replace(last, out_features=classes)
        changes.append(f"{last.name} gives {classes:,} outputs, one for each class ({last.out_features:,} as it was)")
    return Adaptation(msgspec.structs.replace(fitted, layers=tuple(layers)), tuple(changes))


def _features_before(network: Network, position: int) -> int | None:
    """How many features come to the layer at `position`; None where it is not given features, or too many."""
    summary = summarize(msgspec.structs.replace(network, layers=network.layers[:position]))
    if summary.problem or len(summary.output) != 1 or summary.output[0] > MAX_FEATURES:
        return None
    return summary.output[0]
