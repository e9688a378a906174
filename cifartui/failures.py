"""What is said when an exception ends a command or the screens: one sentence, and a log of what nobody foresaw."""

import tempfile
import traceback

from cifartui import home
from cifartui.errors import CifartuiError, explain
from cifartui.text import printable

MOST_CHARACTERS = 200
"""Of what an unforeseen exception says."""


def failure(error: BaseException) -> CifartuiError:
    """The sentence and exit code that go with an exception; an unforeseen one is logged with its traceback."""
    if isinstance(error, CifartuiError):
        return error
    if isinstance(error, OSError):
        return explain(error)
    log = _log("".join(traceback.format_exception(error)))
    what = f"{type(error).__name__}: {printable(str(error), MOST_CHARACTERS)}"
    return CifartuiError(f"Unexpected {what}; please report it{f' with {log}' if log else ''}.")


def _log(text: str) -> str:
    """Write to `error.log` in the program's folder or to a temporary file; return its path, empty if there is none."""
    try:
        folder = home.home()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = folder / "error.log"
        log.write_text(text)
        return str(log)
    except OSError:
        pass
    try:
        with tempfile.NamedTemporaryFile("w", prefix="cifartui-", suffix=".log", delete=False) as file:
            file.write(text)
        return file.name
    except OSError:
        return ""
