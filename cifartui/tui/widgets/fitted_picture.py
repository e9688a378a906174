"""One picture, as large as its place: real pixels where the terminal draws them, else text."""

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.strip import Strip

from cifartui.tui.widgets.drawn_picture import DrawnPicture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FittedPicture(DrawnPicture):
    """A picture in the upper left of its place, as high or as wide as that."""

    DEFAULT_CSS = "FittedPicture { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._pixels: NDArray[np.uint8] | None = None

    def show(self, pixels: "NDArray[np.uint8]") -> None:
        """Draw `[H, W, 3]`, unless it stands there already."""
        before, self._pixels = self._pixels, pixels
        if before is None or before.shape != pixels.shape or (before != pixels).any():
            self.draw()

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Draw the picture in the place that there is."""
        if self._pixels is None or not self.size:
            return
        drawing = self.choose_drawing(has_pictures=True)
        width, height = _cells(self._pixels.shape[0], self._pixels.shape[1], *self.size)
        if drawing:
            lines = drawing.lines(self._pixels, Region(0, 0, width, height))
            drawing.finish()
        else:
            lines = self.as_text(self._pixels, width, height, fits=width >= self._pixels.shape[1])
        self._lines = [Strip(line).apply_style(self.rich_style) for line in lines]
        self.refresh()


def _cells(high: int, wide: int, width: int, height: int) -> tuple[int, int]:
    """Columns and lines of a picture of so many pixels that fills `width` columns or `height` lines."""
    scale = min(width / wide, 2 * height / high)
    return max(1, int(wide * scale)), max(1, int(high * scale / 2))
