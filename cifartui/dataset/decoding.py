"""Decoding pictures that come from elsewhere, which are not to be trusted."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps, UnidentifiedImageError

from cifartui.dataset.archive import MAX_FILE_BYTES
from cifartui.errors import DataError
from cifartui.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM")
"""These and no others: Pillow would run a program for some."""
MAX_OWN_SIDE = 4_096
"""Pixels of a picture of the user's own; refused before anything is decoded."""


@contextmanager
def open_image(data: bytes, where: str, max_side: int) -> Iterator[Image.Image]:
    """Open an image file's bytes, to be decoded within the `with`; `where` names it in sentences.

    Raises:
        DataError: it is no image, has a side of more than `max_side` pixels, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if max(image.size) > max_side:
                    raise DataError(f"{where} is {by(image.size)} pixels; sides of at most {max_side} are read.")
                yield image
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{where} is not an image that can be decoded; replace or remove it.") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:  # what Pillow's decoders raise on damaged data
        raise DataError(f"{where} is damaged ({printable(str(error), 80)}); replace it.") from error


def read_own_picture(path: Path, height: int, width: int) -> "NDArray[np.uint8]":
    """Read a picture of the user's own as `[height, width, 3]`, RGB: upright, its middle cropped to that shape, scaled.

    Raises:
        DataError: there is no such file, or it is no image, too large or damaged.
        OSError: it cannot be read.
    """
    import numpy as np

    shown = printable(str(path), 200)
    if not path.is_file():
        raise DataError(f"There is no file {shown}; check the path.")
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"{shown} has more than {MAX_FILE_BYTES:,} bytes; scale it down.")
    with open_image(data, shown, MAX_OWN_SIDE) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        return np.asarray(ImageOps.fit(upright.convert("RGB"), (width, height), Image.Resampling.LANCZOS))


def by(size: tuple[int, int]) -> str:
    """`640×480`."""
    return f"{size[0]}×{size[1]}"
