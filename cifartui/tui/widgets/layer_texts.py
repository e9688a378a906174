"""What the model screen says of layers: the cells of the table, and one layer spelled out."""

from textual.content import Content

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
)
from cifartui.model.shapes import format_shape
from cifartui.model.summary import Operation, Summary

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


def layer_rows(summary: Summary) -> list[tuple[str | Content, ...]]:
    """The cells of the table: the input, each layer that fits, the one that does not, and those after it."""
    rows: list[tuple[str | Content, ...]] = [("input", "", format_shape(summary.input), "", "")]
    for operation in summary.operations:
        sums = operation.arithmetic
        parameters = Content(f"{sums.parameters:>10,}")
        how = sums.formula or sums.parameters_formula
        rows.append((operation.layer.name, operation.layer.label, format_shape(sums.output), parameters, how))
    for number, layer in enumerate(summary.network.layers[len(summary.operations) :]):
        if number == 0:
            name = Content.styled(f"✗ {layer.name}", "$error")
            rows.append((name, layer.label, "–", "", Content.styled(summary.problem, "$error")))
        else:
            rows.append((Content.styled(layer.name, "dim"), Content.styled(layer.label, "dim"), "–", "", ""))
    return rows


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
