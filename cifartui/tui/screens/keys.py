"""The keys of a screen, from the bindings themselves."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Label, Static

KEY_CELLS = 14
NAMES = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "question_mark": "?", "enter": "enter"}


class KeysScreen(ModalScreen[None]):
    """What each key of the screen below does; the arrows scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "back", id="keys.back", key_display="esc")
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._text = keys_text(below)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog reading"):
            yield Label(Content.styled("keys of this screen   esc back", "bold"))
            yield Static(self._text)


def keys_text(screen: Screen[object]) -> Content:
    """A line for each of the program's own bindings that is active on the screen; those of the library have no id."""
    keys: dict[tuple[str, str], list[str]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.id and active.enabled:
            keys.setdefault((binding.action, binding.tooltip or binding.description), []).append(key)
    lines = []
    for (_, what), names in keys.items():
        shown = " ".join(NAMES.get(name, name) for name in names)
        lines.append(Content.assemble((f"{shown:<{KEY_CELLS}}", "bold $primary"), " ", what))
    return Content("\n").join(lines)
