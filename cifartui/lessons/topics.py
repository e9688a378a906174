"""Topics of what screens have under the cursor: a layer, a setting, a command."""

from math import prod

import msgspec

from cifartui.lessons.topic import Topic, Value
from cifartui.model.shapes import format_shape
from cifartui.model.summary import Operation, Summary
from cifartui.text import size
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import Setting


def layer_topic(operation: Operation, before: Operation | None = None) -> Topic:
    """A layer, the sizes of what goes in and comes out, and the arithmetic of its numbers; `before` it in the chain."""
    layer, sums = operation.layer, operation.arithmetic
    fields = {name: value for name, value in msgspec.structs.asdict(layer).items() if isinstance(value, int | float)}
    values: dict[str, Value] = {
        **fields,
        "name": layer.name,
        "input": format_shape(operation.input),
        "output": format_shape(sums.output),
        "inputs": prod(operation.input),
        "outputs": prod(sums.output),
        "input_channels": operation.input[0],
        "output_channels": sums.output[0],
        "input_size": operation.input[-1],
        "output_size": sums.output[-1],
        "parameters": sums.parameters,
        "macs": sums.macs,
        "memory": size(operation.activation_bytes),
    }
    if len(sums.output) == 3:
        values["places"] = sums.output[1] * sums.output[2]
    said = {
        "formula": sums.formula,
        "parameters_formula": sums.parameters_formula,
        "macs_formula": sums.macs_formula,
        "note": sums.note,
        "field": str(operation.receptive_field or ""),
        "before_formula": before.arithmetic.formula if before and len(before.arithmetic.output) == 1 else "",
        "before": before.layer.name if before else "",
    }
    if "kernel_size" in fields and "in_channels" in fields:
        values["window_weights"] = fields["kernel_size"] ** 2 * fields["in_channels"] // fields.get("groups", 1)
    values |= {name: text for name, text in said.items() if text}
    return Topic(f"layer.{layer.kind}", values, layer=layer)


def input_topic(summary: Summary) -> Topic:
    """The picture that comes in, and the network as a whole."""
    channels, height, width = summary.input
    values: dict[str, Value] = {
        "channels": channels,
        "height": height,
        "width": width,
        "numbers": prod(summary.input),
        "parameters": summary.parameters,
        "macs": summary.macs,
        "weight_bytes": size(summary.weight_bytes),
    }
    return Topic("screen.model.input", values)


def setting_topic(setting: Setting, lead: str = "", recipe: Recipe | None = None) -> Topic:
    """A setting; `lead` says more of it than its explanation, and `recipe` is its own, if not the one in hand."""
    return Topic(f"setting.{setting.key}", lead=lead or setting.explanation, recipe=recipe)
