"""Archives that are odd and valid come in; what is no archive that is read gets a sentence that says what is."""

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cifartui.dataset import archive as archives
from cifartui.dataset.importing import import_dataset
from cifartui.dataset.store import DatasetFacts
from cifartui.dataset.surveying import survey_dataset
from cifartui.errors import DataError
from cifartui.progress import finish
from tests.dataset.test_importing import FOLDERS, left_behind, make_folders, pack_tar, picture, tar_with

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def _left_out(facts: DatasetFacts) -> dict[str, tuple[int, str]]:
    return {left.reason: (left.files, left.example) for left in facts.left_out}


def _two_streams(data: bytes, compress: Callable[[bytes], bytes]) -> bytes:
    half = len(data) // 2
    return compress(data[:half]) + compress(data[half:])


ODD: dict[str, Callable[[bytes], bytes]] = {
    "xz, padded": lambda data: lzma.compress(data) + bytes(8),
    "xz, two streams padded": lambda data: lzma.compress(data[:5_000]) + bytes(4) + lzma.compress(data[5_000:]),
    "gzip, bytes after it": lambda data: gzip.compress(data) + b"\nsignature of a server",
    "gzip, padded to blocks": lambda data: gzip.compress(data) + bytes(100_000),
    "gzip, two streams": lambda data: _two_streams(data, gzip.compress),
    "bzip2, two streams": lambda data: _two_streams(data, bz2.compress),
    "bzip2, bytes after it": lambda data: bz2.compress(data) + b"more",
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "plain, without an end": lambda data: data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % 512),
    "plain, bytes after it": lambda data: data + b"more",
}


@pytest.mark.parametrize("case", ODD)
def test_odd_archives_come_in(tmp_path: Path, case: str) -> None:
    """What the archive programs accept is accepted: several streams, padding, bytes after the end."""
    plain = pack_tar(make_folders(tmp_path / "mine"), ".tar").read_bytes()
    (tmp_path / "odd").write_bytes(ODD[case](plain))
    assert finish(import_dataset(tmp_path / "odd", "pets")).class_counts.train == (5, 5)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_checksum_at_the_very_end_is_compared(tmp_path: Path, home: Path, compress: Callable[[bytes], bytes]) -> None:
    """Archives cut short within what follows the tar's own end, or with a changed checksum there, are damaged."""
    whole = compress(pack_tar(make_folders(tmp_path / "mine"), ".tar").read_bytes())
    for data in (whole[:-3], whole[:-6] + bytes(byte ^ 1 for byte in whole[-6:])):
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(DataError, match="bad is truncated, damaged or no archive"):
            finish(import_dataset(tmp_path / "bad", "pets"))
    assert left_behind(home) == []


def test_zip_from_windows(tmp_path: Path) -> None:
    """Backslashes separate folders where no slash does."""
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as packed:
        for number, folder in enumerate(FOLDERS):
            name = folder.replace("/", "\\")
            packed.writestr(f"{name}\\", b"")
            packed.writestr(f"{name}\\0.png", picture(number))
    assert finish(import_dataset(tmp_path / "mine.zip", "pets")).class_counts.train == (1, 1)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("..\\train\\cat\\0.png", picture(1))
    with pytest.raises(DataError, match="a path outside itself"):
        finish(import_dataset(tmp_path / "evil.zip", "pets2"))


def test_zip_that_cannot_be_unpacked_is_told_in_words(tmp_path: Path) -> None:
    """An encrypted member and an unknown method are named without Python's own words."""
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("train/cat/0.png", picture(1))
    plain = path.read_bytes()
    header = plain.index(b"PK\x01\x02")
    for position, value, sentence in (
        (8, 1, "encrypted; pack it"),
        (10, 99, r"compressed in a way that is not read \(method 99\); pack it"),
    ):
        path.write_bytes(plain[: header + position] + bytes([value]) + plain[header + position + 1 :])
        with pytest.raises(DataError, match=f"mine.zip: train/cat/0.png is {sentence}") as caught:
            finish(import_dataset(path, "pets"))
        assert "ZipInfo" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7z archive; unpack it"),
        (b"Rar!\x1a\x07\1\0", "is a RAR archive; unpack it"),
        (b"\x28\xb5\x2f\xfd\x04\0", "is packed with zstd; unpack it"),
        (b"PAR1\x15\4", "is a Parquet file; unpack it"),
        (picture(1), "is a single picture; name the folder that holds the class folders"),
    ],
)
def test_what_is_no_archive_that_is_read(tmp_path: Path, data: bytes, words: str) -> None:
    """The sentence says what it is and what is read."""
    (tmp_path / "mine").write_bytes(data)
    with pytest.raises(DataError) as caught:
        finish(import_dataset(tmp_path / "mine", "pets"))
    assert words in str(caught.value)
    assert "a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz is read" in str(caught.value)


def test_much_that_is_no_image_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed archive that swells where it is passed over is refused; in plain ones passing over costs nothing."""
    monkeypatch.setattr(archives, "MAX_PASSED_BYTES", 1_000_000)
    members = [(f"{folder}/0.png", picture(seed)) for seed, folder in enumerate(FOLDERS)]
    plain = tar_with(tmp_path / "mine", ("README", bytes(600_000)), ("data", bytes(600_000)), *members)
    assert finish(import_dataset(plain, "pets")).train == 2
    (tmp_path / "swells").write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(DataError, match=r"swells holds 1.2 MB of what is no image \(as far as data\); take it out"):
        finish(import_dataset(tmp_path / "swells", "more"))
    monkeypatch.setattr(archives, "MAX_PASSED_BYTES", 1_000)
    only_pictures = tar_with(tmp_path / "other", *members)
    (tmp_path / "pictures").write_bytes(gzip.compress(only_pictures.read_bytes()))
    assert finish(survey_dataset(tmp_path / "pictures")).images == 4  # looked at, not passed over


def test_nested_headers_are_damage(tmp_path: Path) -> None:
    """A long name whose header follows a long name, thousands deep, does not tell of Python's stack."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4
    (tmp_path / "deep.tar").write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"abc\0" + bytes(508)) * 5_000)
    with pytest.raises(DataError, match=r"deep\.tar is truncated, damaged or no archive") as caught:
        finish(import_dataset(tmp_path / "deep.tar", "pets"))
    assert "recursion" not in str(caught.value)


def test_what_is_left_out_of_a_folder_is_counted(tmp_path: Path) -> None:
    """Hidden files, links, pipes, what is no picture and pictures that are not read, each with an example."""
    root = make_folders(tmp_path / "mine")
    cat = root / "train" / "cat"
    for name, data in {
        ".DS_Store": b"x",
        "Thumbs.db": b"x",
        "notes.txt": b"BMW and P3 are no pictures",
        "empty": b"",
        "1.HEIC": HEIC,
        "2.jpg": HEIC,
        "3.svg": b"<svg/>",
    }.items():
        (cat / name).write_bytes(data)
    (root / "__MACOSX" / "train").mkdir(parents=True)
    (root / "__MACOSX" / "train" / "._0.png").write_bytes(b"x")
    (root / "train" / "bird").symlink_to(cat, target_is_directory=True)
    (cat / "linked.png").symlink_to(root / "train" / "dog" / "0.png")
    os.mkfifo(cat / "pipe.png")
    os.link(cat / "0.png", cat / "again.png")  # in a folder a hard link is a file like any other
    facts = finish(import_dataset(root, "pets"))
    assert facts.class_counts.train == (6, 5)
    assert _left_out(facts) == {
        "hidden": (2, "__MACOSX/train/._0.png"),
        "links": (2, "train/bird"),
        "no pictures": (3, "train/cat/Thumbs.db"),
        "HEIC pictures, which are not read": (2, "train/cat/1.HEIC"),
        "SVG pictures, which are not read": (1, "train/cat/3.svg"),
        "devices and pipes": (1, "train/cat/pipe.png"),
    }


def test_links_in_a_tar_are_counted(tmp_path: Path) -> None:
    """Neither a hard link nor a symbolic one is followed."""
    archive = pack_tar(make_folders(tmp_path / "mine"), ".tar")
    with tarfile.open(archive, "a") as tar:
        for name, kind in (("hard.png", tarfile.LNKTYPE), ("soft.png", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(f"pictures/train/cat/{name}")
            info.type, info.linkname = kind, "pictures/train/cat/0.png"
            tar.addfile(info)
    assert _left_out(finish(import_dataset(archive, "pets"))) == {
        "hard links": (1, "pictures/train/cat/hard.png"),
        "links": (1, "pictures/train/cat/soft.png"),
    }


def test_pictures_are_known_by_their_content(tmp_path: Path) -> None:
    """Any suffix or none: JPEG as .jfif, TIFF, PNG without a suffix; a picture's suffix on text is refused."""
    root = make_folders(tmp_path / "mine", images=1)
    for name in ("photo.jfif", "scan.tif", "no suffix", "odd.dat"):
        (root / "train" / "cat" / name).write_bytes(picture(7))
    facts = finish(import_dataset(root, "pets"))
    assert (facts.class_counts.train, facts.left_out) == ((5, 1), ())


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_text_with_the_name_of_an_official_file_is_passed_over(tmp_path: Path, name: str) -> None:
    """Lists called `train` lie in many data sets."""
    root = make_folders(tmp_path / "mine", ("cat", "dog"))
    (root / name).write_text("cat/0.png\ncat/1.png\n")
    assert _left_out(finish(import_dataset(root, "pets"))) == {"no pictures": (1, name)}


def test_nothing_but_what_is_left_out(tmp_path: Path) -> None:
    """The sentence says what was there instead of pictures."""
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.heic").write_bytes(HEIC)
    with pytest.raises(DataError, match=r"holds no images in class folders; .* Left out: 1 HEIC pictures"):
        finish(import_dataset(tmp_path, "pets"))


def test_damaged_picture_is_told_in_words(tmp_path: Path) -> None:
    """A PPM with endless digits, without what Pillow says of it."""
    root = make_folders(tmp_path / "mine", images=1)
    (root / "train" / "cat" / "1.ppm").write_bytes(b"P3 " + b"9" * 1_000 + b" 8 255 ")
    with pytest.raises(DataError, match=r"1\.ppm is damaged or cut short") as caught:
        finish(import_dataset(root, "pets"))
    assert "Token" not in str(caught.value)
