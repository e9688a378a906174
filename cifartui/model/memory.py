"""How much memory training takes, by what each kind of layer keeps for its backward pass.

Source: the saved variables of torch's autograd functions (tools/autograd/derivatives.yaml); a test holds the count
against what torch saves.
"""

from itertools import dropwhile
from math import prod

from cifartui.model.layers import Block, Layer
from cifartui.model.summary import Operation, Summary


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
        layer, output = operation.layer, operation.arithmetic.output
        following = next((later.layer for later in operations[position + 1 :] if not later.layer.is_view), consumer)
        if isinstance(layer, Block):
            body, shortcut = len(layer.body), len(layer.shortcut)
            inner = list(operation.inner)
            kept += _kept(inner[:body], batch_size, None)
            kept += _kept(inner[body : body + shortcut], batch_size, None)
            kept += _kept(inner[body + shortcut :], batch_size, following)
            continue
        kept += layer.kept_bytes(output, batch_size)
        if not layer.is_view and (layer.KEEPS_OUTPUT or (following is not None and following.KEEPS_INPUT)):
            kept += batch_size * 4 * prod(output)
    return kept
