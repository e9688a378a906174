"""Sixel: pictures as bands of six rows, for each colour of a band which of its pixels have that colour.

Source: <https://vt100.net/docs/vt3xx-gp/chapter14.html>.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLOURS = 128
"""At most, of the 256 that terminals have; with more of them a picture of 32×32 looks the same."""
BAND = 6


def encoded(pixels: "NDArray[np.uint8]", scale: int) -> str:
    """`[H, W, 3]` with each pixel drawn as `scale` × `scale` of the terminal's."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    quantized = Image.fromarray(pixels).quantize(COLOURS)
    colour = np.asarray(quantized, dtype=np.int64)
    palette = np.asarray(quantized.getpalette(), dtype=np.int64).reshape(-1, 3)
    rows = np.arange(height * scale)
    place = (rows // BAND)[:, None] * COLOURS + colour[rows // scale]
    runs, which = np.unique(place * width + np.arange(width), return_inverse=True)
    bits = np.broadcast_to((1 << rows % BAND)[:, None], place.shape)
    masks = np.bincount(which.ravel(), weights=bits.ravel()).astype(np.int64)
    used = np.unique(colour)
    percent = (palette[used] * 100 + 127) // 255
    text = [f'\x1bP0;1q"1;1;{width * scale};{height * scale}']
    text += [f"#{number};2;{red};{green};{blue}" for number, (red, green, blue) in zip(used, percent, strict=True)]
    text.append(_drawn(runs, masks, width, scale))
    return "".join(text) + "\x1b\\"


def _drawn(runs: "NDArray[np.int64]", masks: "NDArray[np.int64]", width: int, scale: int) -> str:
    """The bands' text; runs are `(band · COLOURS + colour) · width + column`, sorted."""
    parts = []
    band, colour, column = 0, -1, 0
    for run, mask in zip(runs.tolist(), masks.tolist(), strict=True):
        line, start = divmod(run, width)
        this_band, this_colour = divmod(line, COLOURS)
        if this_band != band:
            parts.append("-" * (this_band - band))
            band, colour, column = this_band, -1, 0
        if this_colour != colour:
            parts.append(f"#{this_colour}" if colour < 0 else f"$#{this_colour}")
            colour, column = this_colour, 0
        if start > column:
            parts.append(f"!{(start - column) * scale}?")
        parts.append(f"!{scale}{chr(63 + mask)}")
        column = start + 1
    return "".join(parts)
