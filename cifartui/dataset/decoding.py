"""Decoding pictures that come from elsewhere, which are not to be trusted: one reader for all of them."""

import contextlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from PIL import Image, Jpeg2KImagePlugin, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from cifartui.dataset.entry import MAX_PICTURE_BYTES
from cifartui.dataset.magic import HEAD_BYTES, picture_kind
from cifartui.errors import DataError, UsageError
from cifartui.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS = ["JPEG", "PNG", "BMP", "GIF", WebPImagePlugin.WebPImageFile.format, "PPM"]
"""These and no others: Pillow would run a program for some."""
FORMATS += [TiffImagePlugin.TiffImageFile.format, Jpeg2KImagePlugin.Jpeg2KImageFile.format]
with contextlib.suppress(ImportError):  # newer than the oldest Pillow that is allowed
    from PIL import AvifImagePlugin

    FORMATS.append(AvifImagePlugin.AvifImageFile.format)

MAX_PIXELS = 2**26
"""Of a picture; refused before anything is decoded."""
MAX_OWN_SIDE = 4_096
"""Pixels that a picture of the user's own is scaled to at most."""
ORIENTATION = 0x0112
"""The EXIF tag that says how a picture is turned."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDES_SWAPPED = 5
"""From this orientation on, a picture lies on its side."""

Fit = Literal["crop", "pad", "stretch"]
FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")
Result = TypeVar("Result")


class Size(NamedTuple):
    """The size that pictures are brought to, in pixels."""

    height: int
    width: int


class UnreadKind(Exception):
    """A whole picture of a kind that is not read; `str()` says which in a few words."""


def parse_size(text: str) -> Size:
    """`32` or `64x48`, height before width.

    Raises:
        UsageError: it is neither, or a side is not possible.
    """
    found = re.fullmatch(r"([0-9]{1,5})(?:[x×]([0-9]{1,5}))?", text.strip())
    size = Size(int(found[1]), int(found[2] or found[1])) if found else Size(0, 0)
    if not 1 <= min(size) <= max(size) <= MAX_OWN_SIDE:
        raise UsageError(
            f"{printable(text, 40)!r} is no size: name a side, as 32, or height x width, as 64x48, "
            f"of 1 to {MAX_OWN_SIDE:,} pixels."
        )
    return size


def read_picture(data: bytes, where: str, size: Size | None = None, fit: Fit = "crop") -> "NDArray[np.uint8]":
    """Decode an image file as `[H, W, 3]`, RGB: upright, transparent parts white, of `size` if one is given.

    Raises:
        DataError: it is no image, too large, or damaged; `where` opens the sentence.
        UnreadKind: it is whole, and its pixels have no known range.
    """
    import numpy as np

    def decode(image: Image.Image) -> "NDArray[np.uint8]":
        if size and image.format in ("JPEG", "MPO"):
            height, width = reversed(size) if _lies(image) else size
            image.draft(None, (2 * width, 2 * height))  # decoded at a half, quarter or eighth where that is enough
        image.load()
        turn = _TURNS.get(_orientation(image))
        plain = _rgb(image)
        upright = plain if turn is None else plain.transpose(turn)
        return np.asarray(scaled(upright, size, fit) if size else upright)

    return _opened(data, where, decode)


def picture_size(data: bytes, where: str) -> Size:
    """The size of an image file when upright, without decoding it.

    Raises:
        DataError: it is no image, too large, or damaged; `where` opens the sentence.
        UnreadKind: it is whole, and its pixels have no known range.
    """

    def measure(image: Image.Image) -> Size:
        _check_mode(image)
        width, height = image.size
        return Size(width, height) if _lies(image) else Size(height, width)

    return _opened(data, where, measure)


def read_own_picture(path: Path, height: int, width: int) -> "NDArray[np.uint8]":
    """Read a picture of the user's own as `[height, width, 3]`, RGB: upright, its middle cropped to that shape, scaled.

    Raises:
        DataError: there is no such file, or it is no image, too large or damaged.
        OSError: it cannot be read.
    """
    shown = printable(str(path), 200)
    if not path.is_file():
        raise DataError(f"There is no file {shown}; check the path.")
    with path.open("rb") as file:
        data = file.read(MAX_PICTURE_BYTES + 1)
    if len(data) > MAX_PICTURE_BYTES:
        raise DataError(f"{shown} has more than {MAX_PICTURE_BYTES:,} bytes; scale it down.")
    try:
        return read_picture(data, shown, Size(height, width))
    except UnreadKind as error:
        raise DataError(f"{shown} has {error}, which are not read; save it as JPEG or PNG.") from error


def scaled(image: Image.Image, size: Size, fit: Fit) -> Image.Image:
    """Bring a picture to `size`: its middle, all of it within black edges, or all of it stretched."""
    height, width = size
    whole = (0.0, 0.0, float(image.width), float(image.height))
    if fit == "crop":
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - width * scale) / 2, (image.height - height * scale) / 2
        return _resized(image, (width, height), (left, top, left + width * scale, top + height * scale))
    if fit == "stretch":
        return _resized(image, (width, height), whole)
    scale = max(image.width / width, image.height / height)
    inner = max(1, round(image.width / scale)), max(1, round(image.height / scale))
    padded = Image.new("RGB", (width, height))
    padded.paste(_resized(image, inner, whole), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return padded


def _resized(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def _opened(data: bytes, where: str, use: Callable[[Image.Image], Result]) -> Result:
    talkative = picture_kind(data[:HEAD_BYTES]) == "TIFF"
    with _image_errors(where), _without_stderr() if talkative else nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(
                    f"{where} is {image.width:,}×{image.height:,} pixels, and {MAX_PIXELS // 10**6} million "
                    "are read at most; scale it down."
                )
            return use(image)


@contextmanager
def _image_errors(where: str) -> Iterator[None]:
    try:
        yield
    except (DataError, UnreadKind, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"{where} is not an image that can be decoded; replace or remove it.") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{where} has more than {MAX_PIXELS // 10**6} million pixels; scale it down.") from error
    except Exception as error:  # a hostile file can make Pillow raise anything
        raise DataError(f"{where} is damaged or cut short; replace or remove it.") from error


@contextmanager
def _without_stderr() -> Iterator[None]:
    """What libtiff thinks of a file it writes to the process's stderr, past Python: it goes nowhere here."""
    try:
        stderr = os.dup(2)
    except OSError:  # closed by whoever started the process
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # what does not fit is lost, too
    os.dup2(writing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        for descriptor in (stderr, reading, writing):
            os.close(descriptor)


def _lies(image: Image.Image) -> bool:
    return _orientation(image) >= SIDES_SWAPPED


def _orientation(image: Image.Image) -> int:
    """What EXIF says of a picture, 1 to 8; upright (1) where nothing is said, or nothing that can be read."""
    if "exif" not in image.info or image.format == "TIFF":  # which Pillow turns by itself
        return 1
    try:
        found = image.getexif().get(ORIENTATION)
    except Exception:  # of a picture that is whole otherwise
        return 1
    return found if isinstance(found, int) and found in _TURNS else 1


def _check_mode(image: Image.Image) -> None:
    known_range = image.format in ("PNG", "PPM")
    if image.mode in ("F", "LAB") or (image.mode == "I" and not known_range):
        raise UnreadKind("pixels of 32 bits or in CIELAB colours")


def _rgb(image: Image.Image) -> Image.Image:
    import numpy as np

    _check_mode(image)
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return image.convert("RGB")


def by(size: Size) -> str:
    """Width and height as of pictures: `640×480`."""
    return f"{size.width}×{size.height}"
