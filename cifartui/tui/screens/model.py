"""The model screen: every operation of the network, drawn to scale, with the arithmetic of its shape."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from cifartui.dataset.store import DatasetFacts, load_facts
from cifartui.errors import CifartuiError, DataError
from cifartui.failures import failure
from cifartui.lessons.topic import Topic
from cifartui.model.layers import Conv2d, MaxPool2d
from cifartui.model.memory import training_bytes
from cifartui.model.network import Network, load_network
from cifartui.model.source import python_source
from cifartui.model.summary import Summary, summarize
from cifartui.model.tracing.isolation import trace_isolated
from cifartui.model.tracing.trace import summary_of
from cifartui.text import printable, size
from cifartui.tui.explaining import explanation_of
from cifartui.tui.networks import OTHER_NETWORK, network_choices
from cifartui.tui.screens.editing import EditingScreen
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextScreen
from cifartui.tui.widgets.explain import lesson_text
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.layer_texts import row_text
from cifartui.tui.widgets.network_drawing import NetworkDrawing
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.paths import TOML
from cifartui.tui.widgets.settings_input import SettingsInput
from cifartui.tui.widgets.volumes import volumes_of

OF_CHAINS = ("source", "walk", "maps")
"""What is shown of networks that are a chain of layers, and not of code of the user's own."""
NOT_WHILE_TYPING = (*OF_CHAINS, "more", "networks")
FLOW = "what flows: maps get smaller and more, then lists"
SCALE = "drawn to scale · depth: √channels · lists: √numbers"


class ModelScreen(EditingScreen):
    """Look at a network layer by layer, and change it with every later shape following."""

    NOUN = "model"
    CSS_PATH = "model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "c",
            "drawing",
            "draw",
            tooltip="Show the network drawn to scale in place of most of the table, and back",
            id="model.drawing",
        ),
        Binding("space", "more", "more", tooltip="Show the rest of the layer's text, and round again", id="model.more"),
        Binding("p", "source", "source", tooltip="Show the network as PyTorch code", id="model.source", show=False),
        Binding(
            "w",
            "walk",
            "walk",
            tooltip="Step through a picture with the layer's window and see each value computed",
            id="model.walk",
        ),
        Binding("l", "maps", "maps", tooltip="Show what each layer makes of a picture", id="model.maps"),
        Binding("o", "networks", "networks", tooltip="Choose another network, or a file of yours", id="model.networks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[Network, Summary] = {}
        """What running code of the user's own has shown."""
        self._following: dict[str, str] = {}
        """What of the network follows the data set, by the layer's name."""

    def compose_body(self) -> ComposeResult:
        with Container(id="network"):
            yield Panel(
                "",
                LayerTable(widget_id="layers"),
                SettingsInput(widget_id="edit"),
                Static(id="problem", classes="problem"),
                id="table",
            )
            yield Panel(FLOW, NetworkDrawing(widget_id="drawing"), fact=SCALE, id="flow")
        with Panel("", id="layer-panel"), VerticalScroll(id="layer-pane", can_focus=False):
            yield Static(id="layer")

    def on_mount(self) -> None:
        self.query_one(SettingsInput).display = False
        self.hand.facts = self._facts()
        self.draw(self.network)
        self.table.focus()

    def _facts(self) -> DatasetFacts | None:
        try:
            return load_facts(self.cifar_app.dataset_name) if self.cifar_app.dataset_name else None
        except DataError:  # the dataset screen says what is wrong with it
            return None

    @property
    def _batch_size(self) -> int:
        return self.cifar_app.recipe.batch_size

    # DRAWING

    def draw(self, network: Network, cursor: str | None = None) -> None:
        """Show a network; the cursor goes to the layer of the name `cursor`, or stays."""
        self.summary = summary = self._seen.get(network) or summarize(network)
        is_in_hand = network == self.network
        is_kept = is_in_hand and self.hand.is_kept
        changed = "" if is_kept else " · changed"
        self.cifar_app.unsaved = "" if is_kept else network.name
        self.cifar_app.network = network
        name = f"{network.name}{changed}{' · code of yours, not edited here' if network.factory else ''}"
        self._following = self.hand.following if is_in_hand else {}
        self.query_one("#table", Panel).entitle(self._totals(name))
        memory = size(training_bytes(summary, self._batch_size))
        self.query_one("#table", Panel).say(
            "" if summary.problem else f"training takes at least {memory} at batch size {self._batch_size}"
        )
        problem = self.query_one("#problem", Static)
        problem.update(Content(f"✗ {printable(summary.problem)}"))
        problem.display = bool(summary.problem)
        self.table.show(summary, cursor, frozenset(self._following))
        self.refresh_bindings()

    def _totals(self, name: str) -> Content:
        """The network as a whole in one line."""
        summary = self.summary
        if summary.problem:
            return Content.assemble(f"{name} · ", ("✗ the chain breaks", "$error"))
        follows = [f"* follows {printable(self.hand.facts.name)}"] if self._following and self.hand.facts else []
        macs = f"{summary.macs / 1e6:,.2f} M multiply-adds"
        totals = [name, *follows, f"{summary.parameters:,} parameters", macs, size(summary.weight_bytes)]
        return Content(" · ".join(totals))

    @on(LayerTable.Selected)
    def _show_selected(self) -> None:
        row = self.table.selected
        if row is None:
            return
        text = row_text(row, self.summary, self._batch_size, self._following.get(row.name, ""))
        lesson = None if self.has_class("-wide") else self._lesson_in_short()
        columns = self._pane.scrollable_content_region.width
        self.query_one("#layer-panel", Panel).entitle(text.heading(columns))
        self.query_one("#layer", Static).update(text.content(columns, lesson))
        self.query_one(NetworkDrawing).show(volumes_of(self.table.lines, self.summary), row.name)
        self._pane.scroll_home(animate=False)
        self.call_after_refresh(self.refresh_bindings)  # only then is it known whether all of the text is in view

    def _lesson_in_short(self) -> Content:
        return lesson_text(explanation_of(self.own_topic, self.cifar_app, {}).paragraphs[0])

    @property
    def own_topic(self) -> Topic:
        return self.table.topic

    def tell_problem(self, sentence: str) -> None:
        """Say why what is typed cannot be."""
        self.query_one("#layer", Static).update(Content.styled(printable(sentence), "$error"))

    @on(NetworkDrawing.Chosen)
    def _go_to(self, event: NetworkDrawing.Chosen) -> None:
        self.table.go_to(event.line)

    def on_screen_resume(self) -> None:
        if self.table.row_count:  # the recipe's batch size or the data set may be another now
            self.hand.facts = self._facts()
            self.draw(self.network)

    @property
    def _pane(self) -> VerticalScroll:
        return self.query_one("#layer-pane", VerticalScroll)

    def action_more(self) -> None:
        """Scroll the layer's text by what is in view, and back from its end."""
        if self._pane.scroll_offset.y >= self._pane.max_scroll_y:
            self._pane.scroll_home(animate=False)
        else:
            self._pane.scroll_relative(y=max(1, self._pane.size.height - 1), animate=False)

    def action_drawing(self) -> None:
        """Show the drawing where there is no room for it beside the whole table, or the table again."""
        self.toggle_class("-drawn")

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_selected)

    def action_source(self) -> None:
        """Show the network as PyTorch code."""
        self.app.push_screen(TextScreen(f"{self.network.name}.py", python_source(self.network)))

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
        if network.factory:
            self.look_at(network)
        else:
            self.hand.open(network)
            self.draw(self.network)

    def look_at(self, network: Network) -> None:
        """Show code of the user's own; it is run first, to see its operations as they are now."""
        self._trace(network)

    @property
    def _is_tracing(self) -> bool:
        return any(worker.group == "trace" and worker.is_running for worker in self.workers)

    def action_drop(self) -> None:
        """Leave the layer as it was, or stop running the user's code."""
        if self.is_typing:
            super().action_drop()
        else:
            self.workers.cancel_group(self, "trace")

    @work(thread=True, group="trace", exclusive=True, exit_on_error=False, description="run a network once")
    def _trace(self, network: Network) -> None:
        worker, steps = get_current_worker(), trace_isolated(network)
        panel = self.query_one("#table", Panel)
        try:
            while not worker.is_cancelled:
                step = next(steps)
                self.app.call_from_thread(panel.entitle, f"{step.activity}: {step.amount}")
            else:
                self.app.call_from_thread(self.draw, self.network)
        except StopIteration as end:
            self.app.call_from_thread(self._traced, network, summary_of(end.value))
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
            self.app.call_from_thread(self.draw, self.network)
        finally:
            steps.close()

    def _traced(self, network: Network, summary: Summary) -> None:
        self._seen[network] = summary
        self.hand.open(network)
        self.draw(network)

    def action_walk(self) -> None:
        """Walk the window of the layer under the cursor over a picture."""
        from cifartui.tui.screens.kernel_walk import KernelWalkScreen  # numpy takes a tenth of the first frame

        if row := self.table.selected:
            self.app.push_screen(KernelWalkScreen(self.network, row.name))

    def action_maps(self) -> None:
        """Show what the layer under the cursor makes of a picture."""
        from cifartui.tui.screens.feature_maps import FeatureMapsScreen

        row = self.table.selected
        name = row.name if row and row.operation else self.summary.operations[0].layer.name
        self.app.push_screen(FeatureMapsScreen(self.network, name))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if (self.is_typing and action in NOT_WHILE_TYPING) or (self.network.factory and action in OF_CHAINS):
            return False
        if action == "drop":
            return self.is_typing or self._is_tracing
        if action == "walk":
            row = self.table.selected
            return bool(row and row.operation and isinstance(row.operation.layer, Conv2d | MaxPool2d))
        if action == "more":
            return self._pane.max_scroll_y > 0
        if action == "drawing":
            return self.has_class("-narrow")
        if action == "maps":
            return bool(self.summary.operations)
        return super().check_action(action, parameters)
