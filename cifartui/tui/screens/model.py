"""The model screen: every operation of the network, with the arithmetic of its shape."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from cifartui.model.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    format_shape,
)
from cifartui.model.network import load_network, network_names
from cifartui.model.summary import Operation, Summary, summarize
from cifartui.tui.screens.base import NounScreen

EXPLANATIONS: dict[type[Layer], str] = {
    Conv2d: "Each of its filters slides over all channels of the input; at each position it multiplies the pixels "
    "under it by its weights and adds them up. One filter gives one channel of the output.",
    MaxPool2d: "Keeps the largest value under each position of the window, which makes the picture smaller.",
    ReLU: "Negative values become zero. Without it, layers in a row could do no more than a single one.",
    AvgPool2d: "Gives the mean of the values under each position of the window, which makes the picture smaller.",
    GlobalAvgPool2d: "Gives one number for each channel, the mean over the whole picture, whatever its size.",
    BatchNorm2d: "Shifts and scales each channel to mean 0 and variance 1 over the batch (in evaluation: over what it "
    "saw in training), then by two numbers that it learns. Training becomes faster and less touchy.",
    Dropout: "Sets values to zero by chance while training, so that the network relies on no single one.",
    Flatten: "Puts all channels, rows and columns in one row: what the next layer has to take as its inputs.",
    Linear: "Every output is a weighted sum of all inputs plus a bias.",
}


class ModelScreen(NounScreen):
    """Look at a network layer by layer."""

    NOUN = "model"
    CSS_PATH = "model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "next_network", "network", tooltip="The next network", id="model.network"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._summary: Summary = summarize(load_network("tutorial"))

    def compose_body(self) -> ComposeResult:
        yield Static(id="totals", classes="heading")
        yield DataTable(id="layers", cursor_type="row", zebra_stripes=False)
        yield Static(id="layer-title", classes="heading")
        with VerticalScroll(id="layer-pane", can_focus=False):
            yield Static(id="layer")

    def on_mount(self) -> None:
        layers = self.query_one(DataTable)
        layers.add_columns("layer", "kind", "output", "parameters", "how")
        self._show_network()
        layers.focus()

    def _show_network(self) -> None:
        network, summary = self._summary.network, self._summary
        totals = (
            f"{network.name} · {summary.parameters:,} parameters · {summary.macs / 1e6:.2f} M multiply-adds an image"
            f" · {summary.parameters * 4 / 1000:,.0f} kB"
        )
        self.query_one("#totals", Static).update(Content(totals))
        layers = self.query_one(DataTable)
        layers.clear()
        layers.add_row("input", "", format_shape(summary.input), "", "")
        for operation in summary.operations:
            sums = operation.arithmetic
            parameters = Content(f"{sums.parameters:>10,}")
            how = sums.formula or sums.parameters_formula
            layers.add_row(operation.layer.name, operation.layer.label, format_shape(sums.output), parameters, how)
        if summary.problem:
            layers.add_row("✗", Content.styled(summary.problem, "$error"))

    @on(DataTable.RowHighlighted)
    def _spell_out(self, event: DataTable.RowHighlighted) -> None:
        operations = self._summary.operations
        position = event.cursor_row - 1
        title, text = self.query_one("#layer-title", Static), self.query_one("#layer", Static)
        if 0 <= position < len(operations):
            operation = operations[position]
            title.update(Content(f"{operation.layer.name} · {operation.layer.label}"))
            text.update(layer_text(operation))
        else:
            channels, height, width = self._summary.input
            title.update("input")
            numbers = f"{channels}·{height}·{width} = {channels * height * width:,}"
            text.update(
                Content(
                    f"One picture: {channels} channels (red, green and blue), each {height} × {width} pixels.\n"
                    f"{numbers} numbers, between −1 and 1 once they are normalised."
                )
            )

    def action_next_network(self) -> None:
        """Show the next of the networks that come with the program."""
        names = network_names()
        following = (names.index(self._summary.network.name) + 1) % len(names)
        self._summary = summarize(load_network(names[following]))
        self._show_network()


def layer_text(operation: Operation) -> Content:
    """One operation spelled out: what goes in, what comes out, and each number's arithmetic."""
    layer, sums = operation.layer, operation.arithmetic
    rows = [("from → to", f"{format_shape(operation.input)} → {format_shape(sums.output)}")]
    if sums.formula:
        label = "height and width" if len(sums.output) == 3 else "outputs"
        rows.append((label, sums.formula))
    if sums.parameters_formula:
        rows.append(("parameters", sums.parameters_formula))
    if sums.macs_formula:
        rows.append(("multiply-adds", sums.macs_formula))
    if operation.receptive_field and operation.receptive_field > 1:
        field = operation.receptive_field
        rows.append(("looks at", f"{field} × {field} pixels of the picture"))
    if sums.note:
        rows.append(("rounded away", sums.note))
    lines = [Content.assemble((f"{label:<18}", "$text-muted"), value) for label, value in rows]
    return Content("\n").join([*lines, Content(EXPLANATIONS[type(layer)])])
