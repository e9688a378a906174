"""A network: a named chain of layers, from the package or from a TOML file."""

import re
from importlib import resources
from pathlib import Path

import msgspec
import tomli_w

from cifartui import home
from cifartui.errors import DataError, UsageError
from cifartui.files import write_durably
from cifartui.model.layers import AnyLayer, LayerName, Positive
from cifartui.text import printable
from cifartui.toml import decode_toml


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chain of layers and the image size it was made for."""

    name: LayerName
    description: str = ""
    input: tuple[Positive, Positive, Positive] = (3, 32, 32)
    """Channels, height and width of an image."""
    layers: tuple[AnyLayer, ...]


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
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", network.name):
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
    names = [layer.name for layer in network.layers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise UsageError(f"{printable(origin)}: two layers are named {repeated}; give each a name of its own.")
    return network


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.model") / "networks"
