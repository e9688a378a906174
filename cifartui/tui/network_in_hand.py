"""The network of the model screen: as the user has it, and as the data set in hand wants it."""

from cifartui.dataset.store import DatasetFacts
from cifartui.model.adapting import Adaptation
from cifartui.model.editing import EditHistory
from cifartui.model.network import Network
from cifartui.model.shapes import format_shape
from cifartui.training.fitting import fit_network


class NetworkInHand:
    """A network and the changes that were made to it; what is shown, edited and trained follows the data set."""

    def __init__(self, network: Network) -> None:
        self.history = EditHistory(network)
        self.facts: DatasetFacts | None = None
        """Of the data set in hand."""
        self._kept: dict[str, Network] = {network.name: network}
        """Networks as they are kept under their names."""
        self._tried: set[Network] = set()
        """Those whose input is another than the data set's, to see what would come of it."""

    @property
    def network(self) -> Network:
        """The network as the data set wants it."""
        return self._followed(self.history.current).network

    @property
    def is_kept(self) -> bool:
        """Whether nothing would be lost: it is the one that is kept under its name, followed or not."""
        network = self.history.current
        kept = self._kept.get(network.name)
        return bool(network.factory) or network == kept or (kept is not None and self.network == self._follow(kept))

    @property
    def is_tried(self) -> bool:
        """Whether its input is an experiment."""
        return self.history.current in self._tried

    @property
    def following(self) -> dict[str, str]:
        """What follows the data set, by the name of the layer; by "" for the input."""
        own = self.history.current
        network, changes = self._followed(own)
        clauses = {clause.partition(" ")[0]: clause for clause in changes}
        if network.input != own.input:
            clauses[""] = f"{format_shape(network.input)} ({format_shape(own.input)} as it was)"
        return clauses

    def change(self, network: Network, *, tries_input: bool = False) -> None:
        """Take a changed network as the next step of the history; one whose input is tried goes on being tried."""
        if tries_input or self.is_tried:
            self._tried.add(network)
        self.history.push(network)

    def open(self, network: Network) -> None:
        """Take another network, which is kept under its name or is code."""
        if not network.factory:
            self._kept[network.name] = network
        self._tried.discard(network)
        self.history.push(network)

    def _followed(self, network: Network) -> Adaptation:
        if self.facts is None or network in self._tried:
            return Adaptation(network, ())
        return fit_network(network, self.facts)

    def _follow(self, network: Network) -> Network:
        return fit_network(network, self.facts).network if self.facts else network
