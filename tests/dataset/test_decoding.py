"""Every kind of picture comes in as the eye sees it: upright, its greys scaled, its colours those it means."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cifartui.dataset.decoding import Fit, Size, UnreadKind, parse_size, picture_size, read_own_picture, read_picture
from cifartui.errors import DataError, UsageError


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def corners(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """A picture whose quarters are red, green (right), blue (below), white."""
    width, height = size
    image = Image.new("RGB", size, "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    image.paste("white", (width // 2, height // 2, width, height))
    return image


def _turned(orientation: int, form: str) -> bytes:
    """`corners`, stored turned as a camera would, with the EXIF tag that says so."""
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    image = corners() if back is None else corners().transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, form, exif=exif, **({"quality": 100, "subsampling": 0} if form == "JPEG" else {}))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright(form: str, orientation: int) -> None:
    """All eight EXIF orientations show the same picture, at its own size and scaled; its size is known undecoded."""
    data = _turned(orientation, form)
    assert picture_size(data, "it") == (32, 64)
    for size in (None, Size(8, 16)):
        pixels = read_picture(data, "it", size).astype(int)
        assert pixels.shape == (*(size or (32, 64)), 3)
        seen = [pixels[y, x] for y in (1, -2) for x in (1, -2)]
        assert np.abs(np.array(seen) - [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]).max() < 30


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_grey_of_16_bits_is_scaled(form: str) -> None:
    """A ramp over all 65,536 values becomes one over 256, the same for imported and single pictures."""
    ramp = np.linspace(0, 65_535, 1_024).astype(np.uint16).reshape(32, 32)
    data = saved(Image.fromarray(ramp), form)
    pixels = read_picture(data, "it")
    assert np.array_equal(pixels[..., 0], ramp >> 8)
    assert np.array_equal(read_picture(data, "it", Size(32, 32)), pixels)


def _palette() -> Image.Image:
    return corners().quantize(8)


def _animated(form: str) -> bytes:
    return saved(corners(), form, save_all=True, append_images=[Image.new("RGB", (64, 32))], duration=100)


def _clear() -> Image.Image:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 16, 64, 32))  # the white quarter, black under its transparency
    return image


KINDS: dict[str, bytes] = {
    "palette": saved(_palette(), "PNG"),
    "palette with a transparent colour": saved(_clear().quantize(8), "PNG"),
    "alpha": saved(_clear(), "PNG"),
    "alpha in WebP": saved(_clear(), "WEBP", lossless=True),
    "CMYK": saved(corners().convert("CMYK"), "JPEG", quality=100, subsampling=0),
    "CMYK in TIFF": saved(corners().convert("CMYK"), "TIFF"),
    "animated GIF": _animated("GIF"),
    "animated PNG": _animated("PNG"),
    "animated WebP": _animated("WEBP"),
    "WebP": saved(corners(), "WEBP", quality=100),
    "TIFF with LZW": saved(corners(), "TIFF", compression="tiff_lzw"),
    "JPEG 2000": saved(corners(), "JPEG2000"),
    "BMP": saved(corners(), "BMP"),
    "PPM": saved(corners(), "PPM"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_pictures(kind: str) -> None:
    """The first frame, transparent parts white, colours those that are meant."""
    pixels = read_picture(KINDS[kind], "it").astype(int)
    seen = [pixels[y, x] for y in (4, -4) for x in (4, -4)]
    assert np.abs(np.array(seen) - [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]).max() < 40


def test_one_reader_for_imported_and_single_pictures(tmp_path: Path) -> None:
    """A single picture is read as it would be imported."""
    data = _turned(6, "JPEG")
    (tmp_path / "it").write_bytes(data)
    assert np.array_equal(read_own_picture(tmp_path / "it", 8, 8), read_picture(data, "it", Size(8, 8)))


@pytest.mark.parametrize(
    ("fit", "rows"),
    [
        ("crop", [["red", "lime"], ["blue", "white"]]),
        ("stretch", [["red", "lime"], ["blue", "white"]]),
        ("pad", [["black", "black"], ["red", "lime"], ["blue", "white"], ["black", "black"]]),
    ],
)
def test_fits(fit: Fit, rows: list[list[str]]) -> None:
    """The middle, everything stretched, or everything between black edges."""
    pixels = read_picture(saved(corners((400, 200)), "PNG"), "it", Size(32, 32), fit)
    height = 32 // len(rows)
    for row, colours in enumerate(rows):
        for column, colour in enumerate(colours):
            expected = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
            assert tuple(pixels[row * height + height // 2, column * 16 + 8]) == expected


def test_crop_keeps_the_middle_and_its_shape() -> None:
    """What lies at the sides of a wide picture goes; a wider one can be asked for."""
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("lime", (100, 0, 200, 100))
    cropped = read_picture(saved(wide, "PNG"), "it", Size(20, 20))
    assert np.abs(cropped[:, 2:-2].astype(int) - [0, 255, 0]).max() < 5
    assert read_picture(saved(wide, "PNG"), "it", Size(10, 30)).shape == (10, 30, 3)


def test_large_jpegs_are_decoded_reduced() -> None:
    """What a decoder that reduces brings differs little from scaling all 12 million pixels."""
    photo = Image.effect_noise((400, 300), 60).resize((4_000, 3_000)).convert("RGB")
    reduced = read_picture(saved(photo, "JPEG"), "it", Size(64, 64)).astype(int)
    whole = read_picture(saved(photo, "PNG", compress_level=0), "it", Size(64, 64)).astype(int)
    assert np.abs(reduced - whole).mean() < 2


def test_what_is_not_read() -> None:
    """Pixels without a known range are left to the caller, and what is damaged or too large gets a sentence."""
    with pytest.raises(UnreadKind, match="pixels of 32 bits"):
        read_picture(saved(Image.new("F", (8, 8)), "TIFF"), "it")
    for data, sentence in (
        (saved(corners(), "PNG")[:-40], "it is damaged or cut short"),
        (b"P5 99999999999999 8 255 ", "it is damaged or cut short"),
        (saved(Image.new("1", (10_000, 7_000)), "PNG"), "it is 10,000×7,000 pixels, and 67 million are read at most"),
        (b"text", "it is not an image that can be decoded"),
    ):
        with pytest.raises(DataError, match=sentence):
            read_picture(data, "it")


def test_sizes_in_words() -> None:
    """One side or height by width; anything else is wrong usage."""
    assert parse_size("32") == (32, 32)
    assert parse_size("64x48") == Size(height=64, width=48)
    for text in ("", "0", "64x", "x", "1e3", "-5", "5000", "32x32x3", "٣٢"):
        with pytest.raises(UsageError, match="is no size"):
            parse_size(text)
