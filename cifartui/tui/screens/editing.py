"""The keys by which the network in hand is changed, each change with all that follows from it shown at once."""

from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Input

from cifartui.errors import UsageError, explain
from cifartui.model.editing import inserted, moved, removed, repair, replaced, settings_text, with_settings
from cifartui.model.layers import KINDS, Layer
from cifartui.model.network import Network, load_network, save_network
from cifartui.model.shapes import format_shape, parse_shape
from cifartui.model.summary import Summary, summarize
from cifartui.tui.network_in_hand import NetworkInHand
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextDialog
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.settings_input import SettingsInput

DEFAULT_NETWORK = "tutorial"
CHANGES = ("add", "remove", "repair", "move", "save")
"""What is done to networks that are a chain of layers; code of the user's own is only looked at."""
NOT_WHILE_TYPING = (*CHANGES, "undo", "redo", "input")


class EditingScreen(NounScreen):
    """A screen with a `LayerTable` and a `SettingsInput`, whose keys change the network in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", tooltip="Add a layer below the one under the cursor", id="model.add"),
        Binding("delete", "remove", "remove", tooltip="Remove the layer under the cursor", id="model.remove"),
        Binding(
            "y",
            "repair",
            "repair",
            tooltip="Put the numbers right where one layer's output does not fit the next",
            id="model.repair",
        ),
        Binding("u", "undo", "undo", tooltip="Take the last change back", id="model.undo"),
        Binding("U", "redo", "redo", tooltip="Make the change again that u took back", id="model.redo", show=False),
        Binding("shift+up", "move(-1)", "up", tooltip="Move the layer under the cursor up", id="model.up", show=False),
        Binding(
            "shift+down", "move(1)", "down", tooltip="Move the layer under the cursor down", id="model.down", show=False
        ),
        Binding(
            "v", "input", "input", tooltip="Try another size of the pictures that come in", id="model.input", show=False
        ),
        Binding("k", "save", "save", tooltip="Keep the changed network under a name, to train it", id="model.save"),
        Binding("escape", "drop", "drop", tooltip="Leave the layer as it was", id="model.drop", key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.hand = NetworkInHand(load_network(DEFAULT_NETWORK))
        self.summary: Summary = summarize(self.hand.network)
        """Of what is shown, which may be a change that is being typed."""
        self._typed_at: int | None = None
        """The position of the layer whose numbers are being typed."""

    def draw(self, network: Network, cursor: str | None = None) -> None:
        """Show a network; the cursor goes to the layer of the name `cursor`, or stays."""
        raise NotImplementedError

    def look_at(self, network: Network) -> None:
        """Show code of the user's own, for which it is run."""
        raise NotImplementedError

    @property
    def table(self) -> LayerTable:
        """The network's layers."""
        return self.query_one(LayerTable)

    @property
    def network(self) -> Network:
        """The network as the data set wants it."""
        return self.hand.network

    @property
    def _position(self) -> int | None:
        """The layer under the cursor; None on the input's line and within blocks."""
        return self.table.selected.position if self.table.selected else None

    def _change(self, network: Network, cursor: str | None = None) -> None:
        """Take a changed network as the next step of the history."""
        self.hand.change(network)
        self.draw(self.network, cursor)

    # TYPING A LAYER'S NUMBERS

    @property
    def is_typing(self) -> bool:
        """Whether a layer's numbers are being typed."""
        return self._typed_at is not None

    @on(DataTable.RowSelected)
    def _edit(self) -> None:
        row = self.table.selected
        if row is None or row.position is None:
            self.table.action_open(bool(row and row.opened is False))
            return
        self._typed_at = row.position
        edit = self.query_one(SettingsInput)
        edit.value = settings_text(self.network.layers[row.position])
        edit.display = True
        edit.focus()
        edit.select_first()

    @on(Input.Changed, "#edit")
    def _follow_typing(self, event: Input.Changed) -> None:
        if self._typed_at is None:
            return
        try:
            layer = with_settings(self.network.layers[self._typed_at], event.value)
        except UsageError as error:
            self.tell_problem(str(error))
        else:
            self.draw(replaced(self.network, self._typed_at, layer))

    def tell_problem(self, sentence: str) -> None:
        """Say why what is typed cannot be."""
        raise NotImplementedError

    @on(Input.Submitted, "#edit")
    def _take(self, event: Input.Submitted) -> None:
        if self._typed_at is None:
            return
        try:
            layer = with_settings(self.network.layers[self._typed_at], event.value)
        except UsageError:
            return
        network = replaced(self.network, self._typed_at, layer)
        self._close_edit()
        self._change(network)

    def action_drop(self) -> None:
        """Leave the layer as it was."""
        self._close_edit()
        self.draw(self.network)

    def _close_edit(self) -> None:
        self._typed_at = None
        self.query_one(SettingsInput).display = False
        self.table.focus()

    def action_add(self) -> None:
        """Ask for a kind and add a layer of it below the cursor."""
        row, done = self.table.selected, self.summary.operations
        position = row.below if row else 0
        shape = done[min(position, len(done)) - 1].arithmetic.output if position and done else self.summary.input

        def add(kind: str | None) -> None:
            if kind:
                try:
                    network = inserted(self.network, position, kind, shape)
                except UsageError as error:
                    self.cifar_app.complain(str(error))
                else:
                    self._change(network, network.layers[position].name)

        kinds = [(kind, f"{kind:<18} {self._first_line(layer)}") for kind, layer in KINDS.items()]
        self.app.push_screen(ChoiceDialog("Add a layer below this one", kinds), add)

    @staticmethod
    def _first_line(layer: type[Layer]) -> str:
        return (layer.__doc__ or "").partition("\n")[0]

    def action_remove(self) -> None:
        """Remove the layer under the cursor."""
        if self._position is not None and len(self.network.layers) > 1:
            self._change(removed(self.network, self._position))

    def action_move(self, direction: int) -> None:
        """Move the layer under the cursor."""
        if self._position is not None:
            network, position = moved(self.network, self._position, direction)
            self._change(network, network.layers[position].name)

    def action_repair(self) -> None:
        """Put the numbers right where the chain breaks."""
        layer = repair(self.summary)
        if layer:
            self._change(replaced(self.network, len(self.summary.operations), layer))

    def action_undo(self) -> None:
        """Take the last change back."""
        self.hand.history.undo()
        self.draw(self.network)

    def action_redo(self) -> None:
        """Make the change again that was taken back."""
        self.hand.history.redo()
        self.draw(self.network)

    def action_input(self) -> None:
        """Ask for another size of the pictures."""

        def take(text: str) -> None:
            network = msgspec.structs.replace(self.network, input=parse_shape(text))
            if network.factory:
                self.look_at(network)
            else:
                self.hand.change(network, tries_input=True)
                self.draw(self.network)

        current = "x".join(map(str, self.network.input))
        self.app.push_screen(TextDialog("Channels x height x width of a picture:", current, take))

    def action_save(self) -> None:
        """Ask for a name and keep the network."""

        def keep(name: str) -> None:
            network = msgspec.structs.replace(self.network, name=name.strip(), description="")
            try:
                save_network(network)
            except OSError as error:
                raise explain(error) from error
            self.hand.open(network)
            self.draw(self.network)
            if self.summary.problem:
                self.cifar_app.complain(f"{network.name} is kept, but cannot be trained yet: {self.summary.problem}")
            else:
                outputs = format_shape(self.summary.output)
                self.cifar_app.tell(
                    f"{network.name} is kept, with {outputs} outputs; set network to it on the training screen."
                )

        self.app.push_screen(TextDialog("Keep this network under the name:", f"my_{self.network.name}"[:32], keep))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden, and none but escape and enter work while numbers are typed."""
        if self.is_typing and action in NOT_WHILE_TYPING:
            return False
        if self.network.factory and action in CHANGES:
            return False
        if action == "drop":
            return self.is_typing
        if action in ("remove", "move"):
            return self._position is not None and len(self.network.layers) > 1
        if action == "repair":
            return repair(self.summary) is not None
        return self.hand.history.can_undo if action == "undo" else True
