"""Taking a trained network elsewhere."""

import io
import os
from pathlib import Path

import torch

from cifartui.errors import UsageError
from cifartui.evaluation.subject import Subject
from cifartui.files import is_written_through, write_durably
from cifartui.text import printable


def check_target(target: Path) -> None:
    """Check that `target` names a file in a folder that exists, or something to write into: a pipe, a device.

    Raises:
        UsageError: it does not.
    """
    if target.is_dir() or not (is_written_through(target) or Path(os.path.realpath(target)).parent.is_dir()):
        raise UsageError(f"{printable(str(target))} cannot be written: name a file in a folder that exists.")


def export_pth(subject: Subject, target: Path) -> int:
    """Write the state_dict as the tutorial does, for `net.load_state_dict(torch.load(PATH))`; return its bytes.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        OSError: it cannot be written; nothing is left behind.
    """
    check_target(target)
    buffer = io.BytesIO()
    torch.save(dict(subject.module.state_dict()), buffer)
    write_durably(target.absolute(), buffer.getvalue())
    return len(buffer.getvalue())
