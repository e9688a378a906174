"""The keys of a screen, from the bindings themselves."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

KEY_CELLS = 12
NAMES = {
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "question_mark": "?",
    "full_stop": ".",
    "slash": "/",
    "greater_than_sign": ">",
    "equals_sign": "=",
    "plus": "+",
    "minus": "−",
    "backspace": "⌫",
    "delete": "del",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "shift+up": "shift+↑",
    "shift+down": "shift+↓",
}


def keys_text(screen: Screen[object], active: set[str | None], columns: int, keymap: Mapping[str, str]) -> Content:
    """A line for each key of the program's own, those of the screen apart from those that work everywhere.

    Bindings of the library have no id and are left out; those whose id is not `active` are dim, and say so. `keymap`
    has the user's own keys by the ids of their bindings.
    """
    here = [binding for node in nodes_of(screen) if node is not screen.app for binding in _bindings(node)]
    parts = [Content.styled("on this screen", "bold $primary"), *_lines(here, active, columns, keymap)]
    parts += [
        Content(""),
        Content.styled("on every screen", "bold $primary"),
        *_lines(_bindings(screen.app), active, columns, keymap),
    ]
    return Content("\n").join(parts)


def nodes_of(screen: Screen[object]) -> list[DOMNode]:
    """What has keys on a screen now, beginning at the focus."""
    return screen.focused.ancestors_with_self if screen.focused else [screen, screen.app]


def _bindings(node: DOMNode) -> Iterator[Binding]:
    for owner in type(node).__mro__:
        for binding in owner.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield binding


def _lines(
    bindings: Iterable[Binding], active: set[str | None], columns: int, keymap: Mapping[str, str]
) -> Iterator[Content]:
    indent = " " * (KEY_CELLS + 1)
    for binding in bindings:
        keys = " ".join(NAMES.get(key, key) for key in keymap.get(binding.id or "", binding.key).split(","))
        what = (binding.tooltip or binding.description) + " (not now)" * (binding.id not in active)
        text = f"\n{indent}".join(textwrap.wrap(what, max(10, columns - len(indent))))
        style = "" if binding.id in active else "dim"
        yield Content.assemble((f"{keys:<{KEY_CELLS}} ", f"bold {style}"), (text, style))
