"""The tutorial's `cifar_net.pth`: the state_dict, as torch saves it."""

import io
from typing import TYPE_CHECKING

from cifartui.evaluation.export.format import Format
from cifartui.model.network import Network
from cifartui.model.source import loading_lines

if TYPE_CHECKING:
    from cifartui.evaluation.subject import Subject


def content(subject: "Subject") -> bytes:
    """The file for `net.load_state_dict(torch.load(PATH))`."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(subject.module.state_dict()), buffer)
    return buffer.getvalue()


def usage(network: Network, file: str) -> str:
    """The lines that load the file, in one."""
    return f"load it with: {'; '.join(loading_lines(network, file))}"


PTH = Format(
    "pth", "write the weights as the tutorial's cifar_net.pth", "cifar_net.pth", "the state_dict", content, usage
)
