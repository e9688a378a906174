"""Taking a trained network elsewhere."""

import io
from pathlib import Path

import torch

from cifartui.errors import UsageError
from cifartui.evaluation.subject import Subject
from cifartui.files import write_durably
from cifartui.text import printable


def export_pth(subject: Subject, target: Path) -> None:
    """Write the state_dict as the tutorial does, for `net.load_state_dict(torch.load(PATH))`.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        OSError: it cannot be written; nothing is left behind.
    """
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise UsageError(f"{printable(str(target))} cannot be written: name a file in a folder that exists.")
    buffer = io.BytesIO()
    torch.save(dict(subject.module.state_dict()), buffer)
    write_durably(target.absolute(), buffer.getvalue())
