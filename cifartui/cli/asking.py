"""Questions before something is lost."""

import sys

from cifartui.errors import UsageError
from cifartui.text import printable


def agreed(question: str, otherwise: str) -> bool:
    """Ask on the terminal; only y and yes agree.

    Raises:
        UsageError: there is no terminal to ask on; `otherwise` says what is not done, and which option does it.
    """
    if not sys.stdin.isatty():
        raise UsageError(printable(otherwise, 300))
    print(f"{printable(question, 300)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
