"""The model screen: every operation of the network, with the arithmetic of its shape."""

from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Input, Static
from textual.worker import get_current_worker

from cifartui.dataset.store import DatasetFacts, load_facts
from cifartui.errors import CifartuiError, DataError, UsageError, explain
from cifartui.failures import failure
from cifartui.model.editing import (
    inserted,
    moved,
    removed,
    repair,
    replaced,
    settings_text,
    with_settings,
)
from cifartui.model.layers import KINDS, Conv2d, Layer, MaxPool2d
from cifartui.model.memory import training_bytes
from cifartui.model.network import Network, load_network, save_network
from cifartui.model.shapes import format_shape, parse_shape
from cifartui.model.source import python_source
from cifartui.model.summary import Summary, summarize
from cifartui.model.tracing.isolation import trace_isolated
from cifartui.model.tracing.trace import summary_of
from cifartui.text import printable, size
from cifartui.tui.network_in_hand import NetworkInHand
from cifartui.tui.networks import OTHER_NETWORK, network_choices
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextDialog, TextScreen
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.layer_texts import row_text
from cifartui.tui.widgets.paths import TOML
from cifartui.tui.widgets.settings_input import SettingsInput

DEFAULT_NETWORK = "tutorial"
ROOMY = 110
"""Columns from which on the line of totals has room for the memory of training."""
CHAIN_ACTIONS = ("add", "remove", "repair", "move", "save", "source", "walk", "maps")
"""Of networks that are a chain of layers; code of the user's own is only looked at."""
NOT_WHILE_EDITING = (*CHAIN_ACTIONS, "more", "undo", "redo", "input", "networks")


class ModelScreen(NounScreen):
    """Look at a network layer by layer, and change it with every later shape following."""

    NOUN = "model"
    CSS_PATH = "model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "more", "more", tooltip="Show the rest of the layer's text, and round again", id="model.more"),
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
        Binding("p", "source", "source", tooltip="Show the network as PyTorch code", id="model.source", show=False),
        Binding(
            "w",
            "walk",
            "walk",
            tooltip="Step through a picture with the layer's window and see each value computed",
            id="model.walk",
        ),
        Binding("l", "maps", "maps", tooltip="Show what each layer makes of a picture", id="model.maps"),
        Binding("escape", "drop", "drop", tooltip="Leave the layer as it was", id="model.drop", key_display="esc"),
        Binding("o", "networks", "networks", tooltip="Choose another network, or a file of yours", id="model.networks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._hand = NetworkInHand(load_network(DEFAULT_NETWORK))
        self._seen: dict[Network, Summary] = {}
        """What running code of the user's own has shown."""
        self._summary: Summary = summarize(self._hand.network)
        self._following: dict[str, str] = {}
        """What of the network follows the data set, by the layer's name."""
        self._editing: int | None = None

    def compose_body(self) -> ComposeResult:
        yield Static(id="totals", classes="heading")
        yield LayerTable(widget_id="layers")
        yield SettingsInput(widget_id="edit")
        yield Static(id="layer-title", classes="heading")
        with VerticalScroll(id="layer-pane", can_focus=False):
            yield Static(id="layer")

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self._hand.facts = self._facts()
        self._draw(self._network)
        self._table.focus()

    @property
    def _table(self) -> LayerTable:
        return self.query_one(LayerTable)

    @property
    def _network(self) -> Network:
        return self._hand.network

    @property
    def _position(self) -> int | None:
        """The layer under the cursor; None on the input's row and within blocks."""
        return self._table.selected.position if self._table.selected else None

    def _facts(self) -> DatasetFacts | None:
        try:
            return load_facts(self.cifar_app.dataset_name) if self.cifar_app.dataset_name else None
        except DataError:  # the dataset screen says what is wrong with it
            return None

    @property
    def _batch_size(self) -> int:
        return self.cifar_app.recipe.batch_size

    # DRAWING

    def _draw(self, network: Network, cursor: str | None = None) -> None:
        self._summary = summary = self._seen.get(network) or summarize(network)
        is_in_hand = network == self._network
        is_kept = is_in_hand and self._hand.is_kept
        changed = "" if is_kept else " · changed"
        self.cifar_app.unsaved = "" if is_kept else network.name
        self.cifar_app.network = network
        name = f"{network.name}{changed}{' · code of yours, not edited here' if network.factory else ''}"
        self._following = self._hand.following if is_in_hand else {}
        self.query_one("#totals", Static).update(self._totals(name))
        self._table.show(summary, cursor, frozenset(self._following))
        self.refresh_bindings()

    def _totals(self, name: str) -> Content:
        """The network as a whole in one line; of one that breaks, why it does."""
        summary = self._summary
        if summary.problem:
            return Content.assemble(f"{name} · ", (f"✗ {printable(summary.problem)}", "$error"))
        totals = [
            name,
            f"{summary.parameters:,} parameters",
            f"{summary.macs / 1e6:,.2f} M multiply-adds",
            size(summary.weight_bytes),
        ]
        if self._following and self._hand.facts:
            totals.append(f"* follows {printable(self._hand.facts.name)}")
        if self.app.size.width >= ROOMY:
            memory = size(training_bytes(summary, self._batch_size))
            totals.append(f"training takes at least {memory} at batch size {self._batch_size}")
        return Content(" · ".join(totals))

    @on(LayerTable.Selected)
    def _show_selected(self) -> None:
        row = self._table.selected
        if row is None:
            return
        title, text = row_text(row, self._summary, self._batch_size, self._following.get(row.name, ""))
        self.query_one("#layer-title", Static).update(title)
        self.query_one("#layer", Static).update(text)
        self._pane.scroll_home(animate=False)
        self.call_after_refresh(self.refresh_bindings)  # only then is it known whether all of the text is in view

    def on_screen_resume(self) -> None:
        if self._table.row_count:  # the recipe's batch size or the data set may be another now
            self._hand.facts = self._facts()
            self._draw(self._network)

    @property
    def _pane(self) -> VerticalScroll:
        return self.query_one("#layer-pane", VerticalScroll)

    def action_more(self) -> None:
        """Scroll the layer's text by what is in view, and back from its end."""
        if self._pane.scroll_offset.y >= self._pane.max_scroll_y:
            self._pane.scroll_home(animate=False)
        else:
            self._pane.scroll_relative(y=max(1, self._pane.size.height - 1), animate=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_bindings)

    # CHANGING

    def _change(self, network: Network, cursor: str | None = None) -> None:
        """Take a changed network as the next step of the history."""
        self._hand.change(network)
        self._draw(self._network, cursor)

    @on(DataTable.RowSelected)
    def _edit(self) -> None:
        row = self._table.selected
        if row is None or row.position is None:
            self._table.action_open(bool(row and row.opened is False))
            return
        self._editing = row.position
        edit = self.query_one(SettingsInput)
        edit.value = settings_text(self._network.layers[self._editing])
        edit.display = True
        edit.focus()
        edit.select_first()

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

    @property
    def _is_tracing(self) -> bool:
        return any(worker.group == "trace" and worker.is_running for worker in self.workers)

    def action_drop(self) -> None:
        """Leave the layer as it was, or stop running the user's code."""
        if self._editing is not None:
            self._close_edit()
            self._draw(self._network)
        else:
            self.workers.cancel_group(self, "trace")

    def _close_edit(self) -> None:
        self._editing = None
        self.query_one(Input).display = False
        self._table.focus()

    def action_add(self) -> None:
        """Ask for a kind and add a layer of it below the cursor."""
        row, done = self._table.selected, self._summary.operations
        position = row.below if row else 0
        shape = done[min(position, len(done)) - 1].arithmetic.output if position and done else self._summary.input

        def add(kind: str | None) -> None:
            if kind:
                try:
                    network = inserted(self._network, position, kind, shape)
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
        if self._position is not None and len(self._network.layers) > 1:
            self._change(removed(self._network, self._position))

    def action_move(self, direction: int) -> None:
        """Move the layer under the cursor."""
        if self._position is not None:
            network, position = moved(self._network, self._position, direction)
            self._change(network, network.layers[position].name)

    def action_repair(self) -> None:
        """Put the numbers right where the chain breaks."""
        layer = repair(self._summary)
        if layer:
            self._change(replaced(self._network, len(self._summary.operations), layer))

    def action_undo(self) -> None:
        """Take the last change back."""
        self._hand.history.undo()
        self._draw(self._network)

    def action_redo(self) -> None:
        """Make the change again that was taken back."""
        self._hand.history.redo()
        self._draw(self._network)

    def action_input(self) -> None:
        """Ask for another size of the pictures."""

        def take(text: str) -> None:
            network = msgspec.structs.replace(self._network, input=parse_shape(text))
            if network.factory:
                self._trace(network)
            else:
                self._hand.change(network, tries_input=True)
                self._draw(self._network)

        current = "x".join(map(str, self._network.input))
        self.app.push_screen(TextDialog("Channels x height x width of a picture:", current, take))

    def action_save(self) -> None:
        """Ask for a name and keep the network."""

        def keep(name: str) -> None:
            network = msgspec.structs.replace(self._network, name=name.strip(), description="")
            try:
                save_network(network)
            except OSError as error:
                raise explain(error) from error
            self._hand.open(network)
            self._draw(self._network)
            if self._summary.problem:
                self.cifar_app.complain(f"{network.name} is kept, but cannot be trained yet: {self._summary.problem}")
            else:
                outputs = format_shape(self._summary.output)
                self.cifar_app.tell(
                    f"{network.name} is kept, with {outputs} outputs; set network to it on the training screen."
                )

        self.app.push_screen(TextDialog("Keep this network under the name:", f"my_{self._network.name}"[:32], keep))

    def action_source(self) -> None:
        """Show the network as PyTorch code."""
        self.app.push_screen(TextScreen(f"{self._network.name}.py", python_source(self._network)))

    def action_networks(self) -> None:
        """Choose one of the networks that are there, or name a file."""

        def take(name: str | None) -> None:
            if not name:
                return
            try:
                network = load_network(name)
            except (CifartuiError, OSError) as error:
                self.cifar_app.complain(str(failure(error)))
            else:
                self._open(network)

        self.app.push_screen(ChoiceDialog("Networks", network_choices(), OTHER_NETWORK, path=TOML), take)

    def _open(self, network: Network) -> None:
        """Show another network; code of the user's own is run first, to see its operations as they are now."""
        if network.factory:
            self._trace(network)
        else:
            self._hand.open(network)
            self._draw(self._network)

    @work(thread=True, group="trace", exclusive=True, exit_on_error=False, description="run a network once")
    def _trace(self, network: Network) -> None:
        worker, steps = get_current_worker(), trace_isolated(network)
        totals = self.query_one("#totals", Static)
        try:
            while not worker.is_cancelled:
                step = next(steps)
                self.app.call_from_thread(totals.update, Content(f"{step.activity}: {step.amount}"))
            else:
                self.app.call_from_thread(self._draw, self._network)
        except StopIteration as end:
            self.app.call_from_thread(self._traced, network, summary_of(end.value))
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
            self.app.call_from_thread(self._draw, self._network)
        finally:
            steps.close()

    def _traced(self, network: Network, summary: Summary) -> None:
        self._seen[network] = summary
        self._hand.open(network)
        self._draw(network)

    def action_walk(self) -> None:
        """Walk the window of the layer under the cursor over a picture."""
        from cifartui.tui.screens.kernel_walk import KernelWalkScreen  # numpy takes a tenth of the first frame

        if row := self._table.selected:
            self.app.push_screen(KernelWalkScreen(self._network, row.name))

    def action_maps(self) -> None:
        """Show what the layer under the cursor makes of a picture."""
        from cifartui.tui.screens.feature_maps import FeatureMapsScreen

        row = self._table.selected
        name = row.name if row and row.operation else self._summary.operations[0].layer.name
        self.app.push_screen(FeatureMapsScreen(self._network, name))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden, and none but escape and enter work while a layer is edited."""
        if self._editing is not None and action in NOT_WHILE_EDITING:
            return False
        if action == "drop":
            return self._editing is not None or self._is_tracing
        if self._network.factory and action in CHAIN_ACTIONS:
            return False
        if action == "walk":
            row = self._table.selected
            return bool(row and row.operation and isinstance(row.operation.layer, Conv2d | MaxPool2d))
        if action == "more":
            return self._pane.max_scroll_y > 0
        if action == "maps":
            return bool(self._summary.operations)
        if action in ("remove", "move"):
            return self._position is not None and len(self._network.layers) > 1
        if action == "repair":
            return repair(self._summary) is not None
        return self._hand.history.can_undo if action == "undo" else True
