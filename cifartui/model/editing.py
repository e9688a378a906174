"""Changes to a network, each giving a new one: the chain may break, and a repair is offered where numbers disagree."""

from typing import Any

import msgspec

from cifartui.errors import UsageError
from cifartui.model.layers import KINDS, AnyLayer
from cifartui.model.network import MAX_LAYERS, Network, sequence_of, sequences
from cifartui.model.shapes import Shape, ShapeError
from cifartui.model.summary import Summary
from cifartui.toml import convert_settings


class EditHistory:
    """The networks that were looked at, one after the other; changes can be taken back and made again."""

    def __init__(self, network: Network) -> None:
        self._networks = [network]
        self._place = 0

    @property
    def current(self) -> Network:
        """The network in view."""
        return self._networks[self._place]

    @property
    def can_undo(self) -> bool:
        """Whether there is one before."""
        return self._place > 0

    def push(self, network: Network) -> None:
        """Put a network after the current one; those that were taken back are gone."""
        if network != self.current:
            self._networks[self._place + 1 :] = [network]
            self._place += 1

    def undo(self) -> None:
        """Go back by one, if there is one."""
        self._place = max(0, self._place - 1)

    def redo(self) -> None:
        """Go forward by one, if there is one."""
        self._place = min(len(self._networks) - 1, self._place + 1)


class _Holder(msgspec.Struct, frozen=True):
    layer: AnyLayer


def settings_text(layer: AnyLayer) -> str:
    """A layer's settings as they are edited: `in_channels=3 out_channels=6 kernel_size=5 …`."""
    fields = msgspec.structs.asdict(layer)
    return " ".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in fields.items()
        if name != "name"
    )


def with_settings(layer: AnyLayer, text: str) -> AnyLayer:
    """The layer with the settings of a text like `settings_text`'s; what it does not name stays as it is.

    Raises:
        UsageError: the text is not of that form, or a setting or value is not allowed.
    """
    document: dict[str, Any] = msgspec.to_builtins(layer)
    for assignment in text.split():
        name, equals, value = assignment.partition("=")
        if not equals or name == "kind":
            raise UsageError(f"{assignment!r} is not a setting: write it as name=value.")
        document[name] = _value(value)
    try:
        return convert_settings({"layer": document}, _Holder).layer
    except UsageError as error:
        raise UsageError(str(error).removeprefix("layer.")) from error


def replaced(network: Network, position: int, layer: AnyLayer) -> Network:
    """The network with another layer at `position`."""
    layers = (*network.layers[:position], layer, *network.layers[position + 1 :])
    return msgspec.structs.replace(network, layers=layers)


def inserted(network: Network, position: int, kind: str, shape: Shape) -> Network:
    """The network with a new layer of `kind` at `position`, made to fit an input of `shape`.

    Raises:
        UsageError: there is no such kind, or the network has too many layers.
    """
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of layer; choose one of {', '.join(KINDS)}.")
    if len(network.layers) >= MAX_LAYERS:
        raise UsageError(f"A network has at most {MAX_LAYERS} layers; remove one first.")
    before, after = network.layers[:position], network.layers[position:]
    sequence = sequence_of(before[-1]) if before and after else ""
    joins = sequence and sequence == sequence_of(after[0])
    name = f"{sequence}.{len(network.layers)}" if joins else _free_name(network, kind)
    layer = KINDS[kind].fresh(name, shape)
    return _numbered(network, (*before, layer, *after))


def removed(network: Network, position: int) -> Network:
    """The network without the layer at `position`."""
    return _numbered(network, (*network.layers[:position], *network.layers[position + 1 :]))


def moved(network: Network, position: int, direction: int) -> tuple[Network, int]:
    """The network with the layer at `position` one place further up (−1) or down (1), and where it is then.

    A layer stays within its sequence, and one of its own passes a sequence as a whole.
    """
    layers, target = list(network.layers), position + direction
    if not 0 <= target < len(layers):
        return network, position
    own, met = sequence_of(layers[position]), sequence_of(layers[target])
    if own and own != met:
        return network, position
    while met != own and 0 <= target + direction < len(layers) and sequence_of(layers[target + direction]) == met:
        target += direction
    layers.insert(target, layers.pop(position))
    return _numbered(network, tuple(layers)), target


def repair(summary: Summary) -> AnyLayer | None:
    """The layer at which the chain breaks with the numbers of its input put right; None if that mends nothing."""
    if not summary.problem or summary.network.factory:
        return None
    layer, shape = summary.network.layers[len(summary.operations)], summary.output
    mended = layer.fitted(shape)
    if mended is None:
        return None
    try:
        mended.arithmetic(shape)
    except ShapeError:
        return None
    return mended


def _numbered(network: Network, layers: tuple[AnyLayer, ...]) -> Network:
    """The network with these layers, the members of each sequence numbered in their order."""
    renamed = [
        msgspec.structs.replace(layer, name=f"{sequence}.{number}") if sequence else layer
        for sequence, members in sequences(layers)
        for number, layer in enumerate(members)
    ]
    return msgspec.structs.replace(network, layers=tuple(renamed))


def _free_name(network: Network, kind: str) -> str:
    taken = {sequence_of(layer) or layer.name for layer in network.layers}
    short = KINDS[kind].SHORT_NAME or kind
    return next(name for number in range(1, MAX_LAYERS + 2) if (name := f"{short}{number}") not in taken)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
