"""Faults of the pinned Textual that would end the screens, mended here; each goes when a release mends it."""

from contextlib import suppress
from typing import Literal

from textual import work
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.events import Click
from textual.widgets import OptionList

_move_page = OptionList._move_page
_on_click = OptionList._on_click


def mend() -> None:
    """Mend for this process what cannot be mended in a class of our own."""
    OptionList._move_page = _move_page_with_room  # type: ignore[method-assign,assignment]  # a function for a method
    OptionList._on_click = _on_click_of_what_is_there  # type: ignore[method-assign,assignment]  # a function for a method


def _move_page_with_room(options: OptionList, direction: Literal[-1, 1]) -> None:
    """A list without lines yet, as the palette's at first, or without room for any: KeyError in 8.2.8."""
    if options.scrollable_content_region:
        _move_page(options, direction)


async def _on_click_of_what_is_there(options: OptionList, event: Click) -> None:
    """A click on a line of a list that became shorter before it heard of it: IndexError in 8.2.8."""
    if event.style.meta.get("option", -1) < options.option_count:
        await _on_click(options, event)


class Palette(CommandPalette):
    """The command palette, which can be closed while it still looks for its commands, and twice at once.

    NoMatches and ScreenStackError in 8.2.8.
    """

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, once."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        with suppress(NoMatches):
            await CommandPalette._gather_commands.__wrapped__(self, search_value)  # type: ignore[attr-defined]  # what `work` wrapped
