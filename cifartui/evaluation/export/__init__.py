"""Taking a trained network elsewhere: the formats, and writing one."""

from pathlib import Path
from typing import TYPE_CHECKING

from cifartui.evaluation.export.format import Format
from cifartui.evaluation.export.pth import PTH
from cifartui.files import check_target, write_durably

if TYPE_CHECKING:
    from cifartui.evaluation.subject import Subject

FORMATS: tuple[Format, ...] = (PTH,)


def export(subject: "Subject", file_format: Format, target: Path) -> int:
    """Write a trained network in a format; return the bytes written.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        OSError: it cannot be written; nothing is left behind.
    """
    check_target(target)
    content = file_format.content(subject)
    write_durably(target.absolute(), content)
    return len(content)
