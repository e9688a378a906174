"""The line of keys at the foot of every screen."""

from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from cifartui.tui.widgets.keys_text import nodes_of

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp

LAST = ("back", "help", "leave")
"""What stands at the right end, in this order, and is never left out."""
GAP = 2
"""Cells between two keys."""


class KeyLine(Widget):
    """The keys of the screen in their order, as many as fit, and at the right end how to get help and away."""

    auto_links = False  # a key has its own colours, though it can be clicked
    _line = Content("")

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        """The line at its width now; below a dialog as it was, since actions would be looked for in the dialog."""
        if self.screen.is_active:
            self._line = self._keys()
        return self._line

    def _keys(self) -> Content:
        own: list[tuple[str, Content]] = []
        last: dict[str, tuple[str, Content]] = {}
        seen = set()
        places = self._places()
        actives = self.screen.active_bindings.values()
        for active in sorted(actives, key=lambda active: places.get(active.binding.id, len(places))):
            binding = active.binding
            if not binding.show or binding.action in seen:
                continue
            seen.add(binding.action)
            key = self.app.get_key_display(binding)
            styles = ("bold $primary", "") if active.enabled else ("dim", "dim")
            text = Content.assemble((key, styles[0]), (f" {binding.description}", styles[1]))
            text = text.stylize(Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"}))
            end = _end_of(binding)
            if end:
                last[end] = key, text
            else:
                own.append((key, text))
        return line_of([text for _, text in own], [last[name][1] for name in LAST if name in last], self.size.width)

    def _places(self) -> dict[str | None, int]:
        """The order of keys, where the user has own ones: the library puts these behind all others."""
        if not cast("CifarApp", self.app).own_keys:
            return {}
        owners = [owner for node in nodes_of(self.screen) for owner in reversed(type(node).__mro__)]
        ids = [
            binding.id
            for owner in owners
            for binding in owner.__dict__.get("BINDINGS", ())
            if isinstance(binding, Binding)
        ]
        return {name: place for place, name in reversed(list(enumerate(ids)))}


def _end_of(binding: Binding) -> str | None:
    """Which of the last ones a binding is: what escape does is a way back, whatever it is called."""
    if binding.id in LAST:
        return binding.id
    return "back" if binding.key == "escape" or (binding.id or "").endswith(".close") else None


def line_of(keys: list[Content], last: list[Content], width: int) -> Content:
    """Keys from the left, the last ones at the right end; `…` stands for keys that do not fit."""
    end = Content(" " * GAP).join(last)
    room = width - 2 - end.cell_length  # a blank at either edge
    line = Content("")
    for place, key in enumerate(keys):
        longer = line + key + " " * GAP
        mark = 0 if place == len(keys) - 1 else 1 + GAP
        if longer.cell_length + mark > room:
            line += "…"
            break
        line = longer
    return Content.assemble(" ", line, " " * max(0, room - line.cell_length), end, " ")
