"""How much memory training takes, by what each kind of layer keeps for its backward pass.

Source: the saved variables of torch's autograd functions (tools/autograd/derivatives.yaml); a test holds the count
against what torch saves.
"""

from itertools import dropwhile
from math import prod

from cifartui.model.blocks import BasicBlock
from cifartui.model.layers import AvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from cifartui.model.summary import Operation, Summary

KEEP_INPUT = (Conv2d, Linear, MaxPool2d, AvgPool2d, BatchNorm2d, BasicBlock)
KEEP_OUTPUT = (ReLU,)


def training_bytes(summary: Summary, batch_size: int) -> int:
    """The least memory a step of SGD with momentum takes, float32: weights, gradients, momentum, and what is kept.

    Libraries take more for themselves: a CUDA context alone some hundred megabytes.
    """
    return summary.weight_bytes + 2 * 4 * summary.parameters + kept_bytes(summary, batch_size)


def kept_bytes(summary: Summary, batch_size: int) -> int:
    """Memory of what the forward pass of a batch keeps for the backward pass.

    Dropout is counted as on a CPU, with one float32 a value; a GPU keeps one byte.
    """
    if summary.kept_bytes is not None:
        return batch_size * summary.kept_bytes
    trained = list(dropwhile(lambda operation: not operation.arithmetic.parameters, summary.operations))
    if not trained:
        return 0  # nothing to train, nothing to keep
    return batch_size * 4 * prod(trained[0].input) + _kept(trained, batch_size, consumer=None)


def _kept(operations: list[Operation], batch_size: int, consumer: Layer | None) -> int:
    """What operations in a row keep beside their first input; `consumer` takes what the last one gives."""
    kept = 0
    for position, operation in enumerate(operations):
        following = next((later.layer for later in operations[position + 1 :] if not _is_view(later.layer)), consumer)
        output = batch_size * 4 * prod(operation.arithmetic.output)
        match operation.layer:
            case BasicBlock() as block:
                body, shortcut = len(block.body), len(block.shortcut)
                inner = list(operation.inner)
                kept += _kept(inner[:body], batch_size, None)
                kept += _kept(inner[body : body + shortcut], batch_size, None)
                kept += _kept(inner[body + shortcut :], batch_size, following)
                continue
            case MaxPool2d():
                kept += 2 * output  # where each maximum was, as int64
            case BatchNorm2d():
                kept += 2 * 4 * operation.arithmetic.output[0]  # mean and standard deviation of the batch
            case Dropout() if not _is_view(operation.layer):
                kept += output
        if not _is_view(operation.layer) and (
            isinstance(operation.layer, KEEP_OUTPUT) or isinstance(following, KEEP_INPUT)
        ):
            kept += output
    return kept


def _is_view(layer: Layer) -> bool:
    """Whether the output is the input's memory, looked at differently."""
    return isinstance(layer, Flatten) or (isinstance(layer, Dropout) and layer.p == 0)
