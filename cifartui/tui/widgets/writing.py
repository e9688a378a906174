"""Writing into a widget what it does not say yet, at no more cost than it takes."""

from textual.content import Content
from textual.widgets import Static


def write(static: Static, text: Content) -> None:
    """Give a text to a widget, unless it stands there already; the screen is laid out anew only for other lines.

    Laying out draws all of the screen again, tens of kilobytes for a terminal.
    """
    before, width = static.content, static.content_size.width
    if not isinstance(before, Content):
        static.update(text)
    elif not before.is_same(text):
        is_as_high = width > 0 and before.get_height({}, width) == text.get_height({}, width)
        static.update(text, layout=not is_as_high)
