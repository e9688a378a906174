"""The model screen: every operation of the network, with the arithmetic of its shape."""

from typing import ClassVar

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Input, Static

from cifartui.errors import CifartuiError, UsageError, explain
from cifartui.model.editing import (
    inserted,
    moved,
    removed,
    repair,
    replaced,
    settings_text,
    with_settings,
)
from cifartui.model.kinds import KINDS
from cifartui.model.network import Network, load_network, network_names, save_network
from cifartui.model.shapes import parse_shape
from cifartui.model.source import python_source
from cifartui.model.summary import Summary, summarize
from cifartui.text import printable
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.widgets.dialogs import TextDialog, TextScreen
from cifartui.tui.widgets.layer_texts import layer_rows, layer_text

COLUMNS = ("layer", "kind", "output", "parameters", "how")
EDITING_ACTIONS = ("add", "remove", "repair", "undo", "redo", "move", "input", "save", "source", "next_network")


class LayerTable(DataTable[Content | str]):
    """The layers; says on the line of keys what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "edit", tooltip="Change the layer's numbers", id="model.edit")
    ]


class ModelScreen(NounScreen):
    """Look at a network layer by layer, and change it with every later shape following."""

    NOUN = "model"
    CSS_PATH = "model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", tooltip="Add a layer below this one", id="model.add"),
        Binding("x", "remove", "remove", tooltip="Remove the layer", id="model.remove"),
        Binding("r", "repair", "repair", tooltip="Put the numbers right where the chain breaks", id="model.repair"),
        Binding("u", "undo", "undo", tooltip="Take the last change back", id="model.undo"),
        Binding("y", "redo", "redo", tooltip="Change it again", id="model.redo", show=False),
        Binding("shift+up", "move(-1)", "up", tooltip="Move the layer up", id="model.up", show=False),
        Binding("shift+down", "move(1)", "down", tooltip="Move the layer down", id="model.down", show=False),
        Binding("i", "input", "input", tooltip="Another size of the pictures", id="model.input", show=False),
        Binding("s", "save", "save", tooltip="Keep it under a name, for recipes", id="model.save"),
        Binding("p", "source", "source", tooltip="The network as PyTorch code", id="model.source", show=False),
        Binding("o", "next_network", "network", tooltip="The next network", id="model.network"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._history: list[Network] = [load_network("tutorial")]
        self._place = 0
        self._summary: Summary = summarize(self._history[0])
        self._editing: int | None = None

    def compose_body(self) -> ComposeResult:
        yield Static(id="totals", classes="heading")
        yield LayerTable(id="layers", cursor_type="row", zebra_stripes=False)
        yield Input(id="edit", select_on_focus=False)
        yield Static(id="layer-title", classes="heading")
        with VerticalScroll(id="layer-pane", can_focus=False):
            yield Static(id="layer")

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self._table.add_columns(*COLUMNS)
        self._draw(self._network)
        self._table.focus()

    @property
    def _table(self) -> LayerTable:
        return self.query_one(LayerTable)

    @property
    def _network(self) -> Network:
        return self._history[self._place]

    @property
    def _position(self) -> int | None:
        """The layer under the cursor; None on the input's row."""
        position = self._table.cursor_row - 1
        return position if 0 <= position < len(self._network.layers) else None

    # DRAWING

    def _draw(self, network: Network) -> None:
        self._summary = summary = summarize(network)
        changed = "" if network == self._history[0] else " · changed"
        totals = (
            f"{network.name}{changed} · {summary.parameters:,} parameters · {summary.macs / 1e6:.2f} M multiply-adds"
            f" · {summary.parameters * 4 / 1000:,.0f} kB"
        )
        self.query_one("#totals", Static).update(Content(totals))
        table, rows = self._table, layer_rows(summary)
        row = table.cursor_row
        if table.row_count != len(rows):
            table.clear()
            table.add_rows(rows)
            table.move_cursor(row=min(row, len(rows) - 1))
        else:
            for number, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if table.get_cell_at(Coordinate(number, column)) != cell:
                        table.update_cell_at(Coordinate(number, column), cell, update_width=True)
        self._spell_out()
        self.refresh_bindings()

    @on(DataTable.RowHighlighted)
    def _spell_out(self) -> None:
        summary, position = self._summary, self._table.cursor_row - 1
        title, text = self.query_one("#layer-title", Static), self.query_one("#layer", Static)
        if 0 <= position < len(summary.operations):
            operation = summary.operations[position]
            title.update(Content(f"{operation.layer.name} · {operation.layer.label}"))
            text.update(layer_text(operation))
        elif position == len(summary.operations) and summary.problem:
            title.update(Content(f"{summary.network.layers[position].name} does not fit"))
            offer = repair(summary)
            repaired = f"\nr sets {settings_text(offer)}" if offer else ""
            text.update(Content.styled(summary.problem, "$error").append(repaired))
        elif position >= 0:
            title.update("")
            text.update(Content("Its shape is not known as long as the chain breaks above."))
        else:
            channels, height, width = summary.input
            title.update("input")
            numbers = f"{channels}·{height}·{width} = {channels * height * width:,}"
            text.update(
                Content(
                    f"One picture: {channels} channels, each {height} × {width} pixels.\n"
                    f"{numbers} numbers, between −1 and 1 once they are normalised.\n"
                    "i tries another size; p shows the network as PyTorch code."
                )
            )

    # CHANGING

    def _change(self, network: Network) -> None:
        """Take a changed network as the next step of the history."""
        if network != self._network:
            self._history[self._place + 1 :] = [network]
            self._place += 1
        self._draw(network)

    @on(DataTable.RowSelected)
    def _edit(self) -> None:
        if self._position is None:
            return
        self._editing = self._position
        edit = self.query_one(Input)
        edit.value = settings_text(self._network.layers[self._editing])
        edit.display = True
        edit.focus()

    @on(Input.Changed, "#edit")
    def _follow_typing(self, event: Input.Changed) -> None:
        if self._editing is None:
            return
        try:
            layer = with_settings(self._network.layers[self._editing], event.value)
        except UsageError as error:
            self.query_one("#layer", Static).update(Content.styled(printable(str(error)), "$error"))
        else:
            self._draw(replaced(self._network, self._editing, layer))

    @on(Input.Submitted, "#edit")
    def _take(self, event: Input.Submitted) -> None:
        if self._editing is None:
            return
        try:
            layer = with_settings(self._network.layers[self._editing], event.value)
        except UsageError:
            return
        network = replaced(self._network, self._editing, layer)
        self._close_edit()
        self._change(network)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self._editing is not None:
            event.stop()
            self._close_edit()
            self._draw(self._network)

    def _close_edit(self) -> None:
        self._editing = None
        self.query_one(Input).display = False
        self._table.focus()

    def action_add(self) -> None:
        """Ask for a kind and add a layer of it below the cursor."""
        position = self._table.cursor_row
        operations = self._summary.operations
        shape = operations[min(position, len(operations)) - 1].arithmetic.output if position and operations else None

        def add(kind: str) -> None:
            self._change(inserted(self._network, position, kind.strip(), shape or self._summary.input))
            self._table.move_cursor(row=position + 1)

        self.app.push_screen(TextDialog(f"Kind of layer: {', '.join(KINDS)}", "conv2d", add))

    def action_remove(self) -> None:
        """Remove the layer under the cursor."""
        if self._position is not None and len(self._network.layers) > 1:
            self._change(removed(self._network, self._position))

    def action_move(self, steps: int) -> None:
        """Move the layer under the cursor."""
        if self._position is not None:
            row = self._table.cursor_row
            self._change(moved(self._network, self._position, steps))
            self._table.move_cursor(row=min(max(row + steps, 1), len(self._network.layers)))

    def action_repair(self) -> None:
        """Put the numbers right where the chain breaks."""
        layer = repair(self._summary)
        if layer:
            self._change(replaced(self._network, len(self._summary.operations), layer))

    def action_undo(self) -> None:
        """Take the last change back."""
        self._place = max(0, self._place - 1)
        self._draw(self._network)

    def action_redo(self) -> None:
        """Make the change again that was taken back."""
        self._place = min(len(self._history) - 1, self._place + 1)
        self._draw(self._network)

    def action_input(self) -> None:
        """Ask for another size of the pictures."""

        def take(text: str) -> None:
            self._change(msgspec.structs.replace(self._network, input=parse_shape(text)))

        current = "x".join(map(str, self._network.input))
        self.app.push_screen(TextDialog("Channels x height x width of a picture:", current, take))

    def action_save(self) -> None:
        """Ask for a name and keep the network."""

        def keep(name: str) -> None:
            network = msgspec.structs.replace(self._network, name=name.strip())
            try:
                save_network(network)
            except OSError as error:
                raise explain(error) from error
            self._history, self._place = [network], 0
            self._draw(network)
            self.cifar_app.tell(f"{network.name} is kept; set network to it on the training screen.")

        self.app.push_screen(TextDialog("Keep this network under the name:", f"my_{self._network.name}"[:32], keep))

    def action_source(self) -> None:
        """Show the network as PyTorch code."""
        self.app.push_screen(TextScreen(f"{self._network.name}.py", python_source(self._network)))

    def action_next_network(self) -> None:
        """Show the next of the networks that are there."""
        names = network_names()
        name = self._history[0].name
        following = (names.index(name) + 1) % len(names) if name in names else 0
        try:
            network = load_network(names[following])
        except CifartuiError as error:
            self.cifar_app.complain(str(error))
            return
        self._history, self._place = [network], 0
        self._draw(network)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden, and none but escape and enter work while a layer is edited."""
        if self._editing is not None and action in EDITING_ACTIONS:
            return False
        if action == "repair":
            return repair(self._summary) is not None
        return self._place > 0 if action == "undo" else True
