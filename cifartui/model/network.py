"""A network: a named chain of layers, from the package or from a TOML file."""

import re
from collections.abc import Iterable
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
import tomli_w

from cifartui import home
from cifartui.errors import DataError, UsageError
from cifartui.files import write_durably
from cifartui.model.kinds import AnyLayer
from cifartui.model.layers import Positive
from cifartui.text import printable
from cifartui.toml import decode_toml

NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_]{0,31}"


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chain of layers and the image size it was made for."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{NAME_PATTERN}\Z")]
    description: str = ""
    input: tuple[Positive, Positive, Positive] = (3, 32, 32)
    """Channels, height and width of an image."""
    layers: tuple[AnyLayer, ...]


def sequence_of(layer: AnyLayer) -> str:
    """The sequence that a layer belongs to (`layer1` for `layer1.0`); empty for a layer of its own."""
    sequence, _, number = layer.name.rpartition(".")
    return sequence if number else ""


def sequences(layers: Iterable[AnyLayer]) -> list[tuple[str, list[AnyLayer]]]:
    """The layers with those of one sequence put together, under its name; a layer of its own stands under ""."""
    together = groupby(enumerate(layers), key=lambda numbered: sequence_of(numbered[1]) or numbered[0])
    return [(key if isinstance(key, str) else "", [layer for _, layer in members]) for key, members in together]


def network_names() -> list[str]:
    """The names of the networks that come with the program, and of the user's own."""
    own = {path.stem for path in home.networks_folder().glob("*.toml")}
    return sorted(shipped_names() | own)


def shipped_names() -> set[str]:
    """The names of the networks that come with the program."""
    return {Path(file.name).stem for file in _shipped().iterdir() if file.name.endswith(".toml")}


def save_network(network: Network) -> Path:
    """Store a network of the user's under its name; one of that name that was stored before is replaced.

    Raises:
        UsageError: the name is that of a shipped network, or cannot name one.
        OSError: it cannot be written.
    """
    if not re.fullmatch(NAME_PATTERN, network.name):
        raise UsageError(
            f"{printable(network.name, 80)!r} cannot name a network: use up to 32 letters, digits and underscores."
        )
    if network.name in shipped_names():
        raise UsageError(f"{network.name} comes with the program and stays as it is; choose another name.")
    path = home.networks_folder() / f"{network.name}.toml"
    write_durably(path, tomli_w.dumps(msgspec.to_builtins(network)).encode())
    return path


def load_network(name_or_file: str) -> Network:
    """Load a shipped network by name, or a user's by the path of its `.toml` file.

    Raises:
        DataError: there is no such network or file.
        UsageError: the file does not describe a network.
    """
    if name_or_file.endswith(".toml"):
        path = Path(name_or_file)
        if not path.is_file():
            raise DataError(f"There is no network file {printable(name_or_file)}; check the path.")
        text, origin = path.read_bytes(), str(path)
    elif (own := home.networks_folder() / f"{name_or_file}.toml") in home.networks_folder().glob("*.toml"):
        text, origin = own.read_bytes(), str(own)
    elif name_or_file in shipped_names():
        text, origin = (_shipped() / f"{name_or_file}.toml").read_bytes(), f"network {name_or_file}"
    else:
        raise DataError(
            f"There is no network named {printable(name_or_file, 80)!r}; "
            f"choose one of {', '.join(network_names())}, or name a .toml file."
        )
    network = decode_toml(text, Network, origin)
    _check_names(network, printable(origin))
    return network


def _check_names(network: Network, origin: str) -> None:
    taken: set[str] = set()
    for sequence, layers in sequences(network.layers):
        name = sequence or layers[0].name
        if name in taken:
            raise UsageError(f"{origin}: two layers are named {name}; give each a name of its own.")
        taken.add(name)
        for number, layer in enumerate(layers):
            if sequence and layer.name != f"{sequence}.{number}":
                raise UsageError(f"{origin}: {layer.name} is out of order; it stands where {sequence}.{number} should.")


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.model") / "networks"
