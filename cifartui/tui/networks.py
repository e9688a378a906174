"""The networks there are, as lines of a list."""

from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.model.network import load_network, network_names
from cifartui.model.summary import summarize

OTHER_NETWORK = "or a .toml file, or package.module:name of yours"
"""What else can be named than what is in the list."""


def network_choices() -> list[tuple[str, str]]:
    """Name and line of each network that comes with the program or was kept: its parameters and what it is."""
    choices = []
    for name in network_names():
        try:
            network = load_network(name)
        except (CifartuiError, OSError) as error:
            text = f"{name:<12} {failure(error)}"
        else:
            text = f"{name:<12} {summarize(network).parameters:>11,} parameters   {network.description}"
        choices.append((name, text))
    return choices
