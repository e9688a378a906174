"""A network: a named chain of layers, from the package or from a TOML file, or a callable of the user's own."""

import os
import re
from collections.abc import Iterable
from importlib import resources
from itertools import groupby
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import msgspec
import tomli_w

from cifartui import home
from cifartui.errors import DataError, UsageError
from cifartui.files import write_durably
from cifartui.model.layers import AnyLayer
from cifartui.model.layers.base import Positive
from cifartui.text import printable
from cifartui.toml import decode_toml, read_toml

MAX_LAYERS = 500
NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_]{0,31}"


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A chain of layers and the image size it was made for; or a factory, whose operations only running it shows."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{NAME_PATTERN}\Z")]
    description: str = ""
    input: tuple[Positive, Positive, Positive] = (3, 32, 32)
    """Channels, height and width of an image."""
    layers: Annotated[tuple[AnyLayer, ...], msgspec.Meta(max_length=MAX_LAYERS)]
    factory: str = ""
    """`package.module:name` of a callable that gives the torch module; the layers are empty then."""
    folder: str = ""
    """Where Python looks for the factory first: the working directory in which the user named it."""


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
        UsageError: the name is that of a shipped network, or cannot name one; or it is no chain of layers.
        OSError: it cannot be written.
    """
    if not re.fullmatch(NAME_PATTERN, network.name):
        raise UsageError(
            f"{printable(network.name, 80)!r} cannot name a network: "
            "start with a letter and use up to 32 letters a to z, digits and underscores."
        )
    if network.factory:
        raise UsageError(f"{network.factory} is code of your own and cannot be kept as a file; name it as it is.")
    if network.name in shipped_names():
        raise UsageError(f"{network.name} comes with the program and stays as it is; choose another name.")
    path = home.networks_folder() / f"{network.name}.toml"
    write_durably(path, tomli_w.dumps(msgspec.to_builtins(network)).encode())
    return path


def load_network(name_or_file: str) -> Network:
    """Load a shipped network by name, or a user's by the path of its `.toml` file.

    `package.module:name` names a factory, of which no more is looked at than the form.

    Raises:
        DataError: there is no such network or file.
        UsageError: the file does not describe a network, or the factory is not of that form.
    """
    if name_or_file.endswith(".toml"):
        path = Path(name_or_file)
        if not path.is_file():
            raise DataError(f"There is no network file {printable(name_or_file)}; check the path.")
        network, origin = read_toml(path, Network), str(path)
    elif ":" in name_or_file:
        return _network_of(name_or_file)
    elif (own := home.networks_folder() / f"{name_or_file}.toml") in home.networks_folder().glob("*.toml"):
        network, origin = read_toml(own, Network), str(own)
    elif name_or_file in shipped_names():
        origin = f"network {name_or_file}"
        network = decode_toml((_shipped() / f"{name_or_file}.toml").read_bytes(), Network, origin)
    else:
        raise DataError(
            f"There is no network named {printable(name_or_file, 80)!r}; "
            f"choose one of {', '.join(network_names())}, or name a .toml file or package.module:name."
        )
    if network.factory or network.folder:
        raise UsageError(
            f"{printable(origin)}: a file cannot name a factory, since looking at it would run code; "
            "name package.module:name in its place."
        )
    _check_names(network, printable(origin))
    return network


def _network_of(factory: str) -> Network:
    module, _, name = factory.partition(":")
    if len(factory) > 200 or not all(part.isidentifier() for part in (*module.split("."), name)):
        raise UsageError(
            f"{printable(factory, 80)!r} does not name a factory: write package.module:name, such as net:Net."
        )
    return Network(
        name=re.sub(r"[^A-Za-z0-9_]", "_", name)[:32],
        description=f"the module that {factory} makes",
        layers=(),
        factory=factory,
        folder=os.getcwd(),
    )


def _check_names(network: Network, origin: str) -> None:
    taken: set[str] = set()
    for sequence, layers in sequences(network.layers):
        name = sequence or layers[0].name
        if iskeyword(name):
            raise UsageError(f"{origin}: {name} is a word of Python and cannot name a layer; choose another name.")
        if name in taken:
            raise UsageError(f"{origin}: two layers are named {name}; give each a name of its own.")
        taken.add(name)
        for number, layer in enumerate(layers):
            if sequence and layer.name != f"{sequence}.{number}":
                raise UsageError(f"{origin}: {layer.name} is out of order; it stands where {sequence}.{number} should.")


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.model") / "networks"
