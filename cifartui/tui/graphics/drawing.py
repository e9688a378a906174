"""A widget's pictures in real pixels: in place of its characters with Kitty's protocol, over its cells with Sixel."""

import os
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from rich.segment import Segment
from textual.errors import NoWidget
from textual.geometry import Region
from textual.widget import Widget

from cifartui.tui.graphics import kitty, sixel
from cifartui.tui.graphics.ability import Graphics
from cifartui.tui.widgets.pixels import fitted, scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cifartui.tui.app import CifarApp

NUMBERS = 1 << 24
"""Of Kitty's pictures that a colour can tell apart."""


class PixelDrawing(Protocol):
    """The pictures that stand in a widget now."""

    def lines(self, pixels: "NDArray[np.uint8]", region: Region) -> list[list[Segment]]:
        """The characters for a picture `[H, W, 3]` in a region of the widget."""

    def finish(self) -> None:
        """Called when all pictures have their lines."""

    def uncovered(self) -> None:
        """Called when the widget's lines are drawn."""

    def forget(self) -> None:
        """Called when other pictures stand there."""


def drawing_for(widget: Widget) -> PixelDrawing | None:
    """How new pictures of a widget are drawn; None where the terminal draws none."""
    graphics = cast("CifarApp", widget.app).graphics
    if graphics is None:
        return None
    return KittyDrawing(widget, graphics) if graphics.protocol == "kitty" else SixelDrawing(widget, graphics)


class KittyDrawing:
    """Pictures that the terminal keeps under numbers, and shows where the characters are that have them."""

    _numbers = count(os.getpid() << 10)
    """Other programs' pictures on the same terminal have others."""

    def __init__(self, widget: Widget, graphics: Graphics) -> None:
        self._app = cast("CifarApp", widget.app)
        self._in_tmux = graphics.in_tmux
        self._kept: list[int] = []

    def lines(self, pixels: "NDArray[np.uint8]", region: Region) -> list[list[Segment]]:
        """Send it."""
        number = next(self._numbers) % NUMBERS
        self._kept.append(number)
        self._app.to_terminal(kitty.sent(number, pixels, region.size, in_tmux=self._in_tmux))
        return kitty.placeholders(number, region.size)

    def finish(self) -> None:
        """All are sent."""

    def uncovered(self) -> None:
        """The characters say it all."""

    def forget(self) -> None:
        """Free the terminal's memory."""
        self._app.to_terminal(kitty.forgotten(self._kept, in_tmux=self._in_tmux))


class _Stamp(NamedTuple):
    """A picture, encoded, and where in the widget it belongs."""

    region: Region
    text: str


class SixelDrawing:
    """Pictures over cells that are empty, drawn again whenever these were."""

    def __init__(self, widget: Widget, graphics: Graphics) -> None:
        self._widget = widget
        self._app = cast("CifarApp", widget.app)
        self._cell_size = graphics.cell_size
        self._pictures: list[tuple[NDArray[np.uint8], Region]] = []
        self._stamps: list[_Stamp] = []
        self._is_stamping = self._is_over = False

    def lines(self, pixels: "NDArray[np.uint8]", region: Region) -> list[list[Segment]]:
        """Leave its place empty."""
        self._pictures.append((pixels, region))
        return [[Segment(" " * region.width)]] * region.height

    def finish(self) -> None:
        """Encode them all, and draw them."""
        self._widget.run_worker(
            self._encode, thread=True, group="sixel", exclusive=True, description="encode pictures", exit_on_error=False
        )

    def _encode(self) -> None:
        stamps = [_Stamp(region, self._encoded(pixels, region)) for pixels, region in self._pictures]
        self._app.call_from_thread(self._take, stamps)

    def _encoded(self, pixels: "NDArray[np.uint8]", region: Region) -> str:
        """Each of its pixels as a square of the terminal's; made smaller where the region has fewer."""
        box = region.height * self._cell_size[1], region.width * self._cell_size[0]
        size = fitted((pixels.shape[0], pixels.shape[1]), box)
        scale = max(1, size[0] // pixels.shape[0])
        return sixel.encoded(pixels if scale > 1 else scaled(pixels, size), scale)

    def _take(self, stamps: list[_Stamp]) -> None:
        self._stamps = stamps
        self.uncovered()

    def uncovered(self) -> None:
        """Draw them once what is being written is."""
        if self._stamps and not self._is_stamping:
            self._is_stamping = True
            self._widget.call_later(self._draw)

    def _draw(self) -> None:
        self._is_stamping = False
        if not self._is_over:
            left, top = self._widget.content_region.offset
            drawn = [
                f"\x1b[{top + stamp.region.y + 1};{left + stamp.region.x + 1}H{stamp.text}"
                for stamp in self._stamps
                if self._is_seen(stamp.region.translate((left, top)))
            ]
            if drawn:
                self._app.to_terminal("".join(["\x1b7", *drawn, "\x1b8"]))

    def _is_seen(self, region: Region) -> bool:
        """Whether nothing lies over it, such as a message or a dialog."""
        if not self._widget.screen.is_active:
            return False
        try:
            return all(
                self._widget.screen.get_widget_at(column, line)[0] is self._widget
                for column, line in (region.offset, (region.right - 1, region.bottom - 1))
            )
        except NoWidget:
            return False

    def forget(self) -> None:
        """Other characters stand there by now, and no picture over them."""
        self._is_over = True
