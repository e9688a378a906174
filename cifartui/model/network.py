"""A network: a named chain of layers, from the package or from a TOML file."""

from importlib import resources
from pathlib import Path

import msgspec

from cifartui.errors import DataError, UsageError
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
    """The names of the networks that come with the program."""
    return sorted(Path(file.name).stem for file in _shipped().iterdir() if file.name.endswith(".toml"))


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
    elif name_or_file in network_names():
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
