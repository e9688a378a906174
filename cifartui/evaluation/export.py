"""Taking a trained network elsewhere."""

import io
from pathlib import Path

import torch

from cifartui.errors import UsageError
from cifartui.evaluation.subject import Subject
from cifartui.files import write_durably
from cifartui.text import printable


def check_target(target: Path) -> None:
    """Check that `target` names a file in a folder that exists.

    Raises:
        UsageError: it does not.
    """
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise UsageError(f"{printable(str(target))} cannot be written: name a file in a folder that exists.")


def export_pth(subject: Subject, target: Path) -> None:
    """Write the state_dict as the tutorial does, for `net.load_state_dict(torch.load(PATH))`.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        OSError: it cannot be written; nothing is left behind.
    """
    check_target(target)
    buffer = io.BytesIO()
    torch.save(dict(subject.module.state_dict()), buffer)
    write_durably(target.absolute(), buffer.getvalue())
