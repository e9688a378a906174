"""Images in class folders: `train/<class>/<image>` and `test/<class>/<image>`, or `<class>/<image>` without a split."""

import random
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cifartui.dataset.decoding import Fit, Size, UnreadKind, by, picture_size, read_picture
from cifartui.dataset.entry import Entry
from cifartui.dataset.magic import HEAD_BYTES, picture_kind
from cifartui.dataset.splits import LAYOUT, Folder, Place, arrange
from cifartui.dataset.spool import PixelSpool, SpooledImages
from cifartui.dataset.store import MAX_SIZES, NO_PICTURES, SPLITS, LeftOut, PictureSize, Split
from cifartui.errors import DataError
from cifartui.text import printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".tif", ".tiff", ".jfif", ".jp2", ".avif")
"""Of files that claim to be pictures: one that is none is told, not passed over."""
UNREAD_SUFFIXES = (
    *(".heic", ".heif", ".jxl", ".svg", ".psd", ".eps", ".tga", ".ico", ".pcx", ".exr", ".hdr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
)
UNREAD_KINDS = ("HEIC", "JPEG XL", "Photoshop")
HEADER_BYTES = 256 * 1024
"""Of a picture, in which its size nearly always stands."""
TEST_SHARE = 5
"""Without a split, one image in five of each class becomes a test image, as the tutorial advises (80 % / 20 %)."""
SPLIT_SEED = 0
NAME_LENGTH = 60
"""Characters of a class name."""


class Labelled(NamedTuple):
    """The pictures of each split and what they show."""

    class_of: dict[Folder, int]
    """The class of each folder, an index into `classes`."""
    positions: dict[Split, NDArray[np.int64]]
    """In the order in which they came."""
    labels: dict[Split, NDArray[np.int64]]
    classes: tuple[str, ...]


class ClassFolders:
    """Collects the images of class folders, one entry at a time, and what is left out."""

    def __init__(self, shown: str, size: Size | None = None, fit: Fit = "crop", *, sizes_only: bool = False) -> None:
        self._shown = shown
        """The source's name, fit to be shown."""
        self._size = size
        self._fit = fit
        self._spool: PixelSpool | None = None
        self._sizes_only = sizes_only
        """Nothing is decoded: that was asked for, or the sizes differ."""
        self._folders: dict[Folder, str] = {}
        """Each folder with pictures, and the first of them."""
        self._all_folders: set[Folder] = set()
        self._folder_numbers: dict[Folder, int] = {}
        self._folder_of = array("L")
        """For each picture the number of its folder."""
        self._sizes: Counter[Size] = Counter()
        self._examples: dict[Size, str] = {}
        """A picture of each size."""
        self._left_out: dict[str, tuple[int, str]] = {}

    @property
    def images(self) -> int:
        """How many images were taken in so far."""
        return len(self._folder_of)

    @property
    def sizes(self) -> tuple[PictureSize, ...]:
        """The sizes of the pictures, commonest first."""
        return tuple(
            PictureSize(size.width, size.height, images) for size, images in self._sizes.most_common(MAX_SIZES)
        )

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was not taken in, by reason."""
        return tuple(LeftOut(reason, files, example) for reason, (files, example) in self._left_out.items())

    def give_way(self) -> None:
        """Leave the pictures out, and them alone: what else lies beside CIFAR's own files belongs to them."""
        self._left_out.clear()
        if self.images:
            self._left_out["pictures beside CIFAR's own files"] = self.images, next(iter(self._folders.values()))

    def add(self, entry: Entry) -> bool:
        """Take in an image or a class folder; counts anything else as left out. Returns whether it was an image.

        Raises:
            DataError: the image cannot be decoded or is too large.
        """
        parts = entry.path.parts
        hidden = any(part.startswith(".") for part in parts) or "__MACOSX" in parts
        if entry.kind == "folder":
            if not hidden:
                self._all_folders.add(parts)
            return False
        reason = "hidden" if hidden else _why_unread(entry)
        if reason is None:
            try:
                self._take(entry)
            except UnreadKind as unread:
                reason = str(unread)
            except DataError:
                kind = picture_kind(entry.head(HEAD_BYTES))
                if kind not in UNREAD_KINDS:
                    raise
                reason = f"{kind} pictures, which are not read"
        if reason:
            files, example = self._left_out.get(reason, (0, printable(str(entry.path), 200)))
            self._left_out[reason] = files + 1, example
        return reason is None

    def label(self) -> Labelled:
        """Say which split and class each picture belongs to; classes are sorted by name.

        Raises:
            DataError: there are no images, a split or class is empty, or the folders could be meant in two ways.
        """
        if not self.images:
            raise DataError(f"{self._shown} holds no images in class folders; {LAYOUT}.{self._told_left_out()}")
        places = arrange(self._folders, self._all_folders, self._shown)
        names = sorted({place.name for place in places.values()})
        label_of = {name: label for label, name in enumerate(names)}
        place_of_number = [places[folder] for folder in self._folder_numbers]
        number_of = np.frombuffer(self._folder_of, dtype=np.dtype("L"))
        by_split = self._split_each_class if place_of_number[0].split is None else _given_splits
        positions: dict[Split, list[NDArray[np.int64]]] = {}
        labels: dict[Split, list[NDArray[np.int64]]] = {}
        pictures_of = _pictures_of_places(place_of_number, number_of)
        for label, name in enumerate(names):
            for split, found in by_split(pictures_of, name):
                positions.setdefault(split, []).append(found)
                labels.setdefault(split, []).append(np.full(len(found), label, dtype=np.int64))
        return Labelled(
            {folder: label_of[place.name] for folder, place in places.items()},
            {split: np.concatenate(parts) for split, parts in positions.items()},
            {split: np.concatenate(parts) for split, parts in labels.items()},
            distinct_names(names),
        )

    def check_one_size(self) -> None:
        """See to it that the pictures can be stored.

        Raises:
            DataError: they have several sizes and none to bring them to was chosen.
        """
        if self._size or len(self._sizes) < 2:
            return
        commonest = self._sizes.most_common(3)
        listed = ", ".join(f"{by(size)} ({images:,}, as {self._examples[size]})" for size, images in commonest)
        more = f" and {len(self._sizes) - 3} more" if len(self._sizes) > 3 else ""
        raise DataError(
            f"{self._shown} has pictures of {len(self._sizes)} sizes, {listed}{more}; "
            "choose one for all of them (--size 32, or height x width: --size 48x64)."
        )

    def images_of(self, labelled: Labelled) -> dict[Split, SpooledImages]:
        """The pixels of each split."""
        assert self._spool
        return {
            split: self._spool.images(labelled.positions[split], labelled.labels[split])
            for split in SPLITS
            if split in labelled.positions
        }

    def close(self) -> None:
        """Give the room that the pixels take on the disk back."""
        if self._spool:
            self._spool.close()
            self._spool = None

    def _take(self, entry: Entry) -> None:
        if self._sizes_only:
            size = _size_of(entry)
        else:
            data = entry.read()
            if self._size:
                size = picture_size(data, entry.where)
                pixels = read_picture(data, entry.where, self._size, self._fit)
            else:
                pixels = read_picture(data, entry.where)
                size = Size(*pixels.shape[:2])
        if size not in self._examples:
            self._examples[size] = printable(str(entry.path), 80)
        self._sizes[size] += 1
        folder = entry.path.parts[:-1]
        if folder not in self._folders:
            self._folders[folder] = printable(str(entry.path), 200)
            self._folder_numbers[folder] = len(self._folder_numbers)
        self._folder_of.append(self._folder_numbers[folder])
        if self._size is None and len(self._sizes) > 1:
            self._sizes_only = True
        if self._sizes_only:
            self.close()
        else:
            self._spool = self._spool or PixelSpool()
            self._spool.add(pixels)

    def _split_each_class(
        self, pictures_of: dict[Place, NDArray[np.int64]], name: str
    ) -> Iterable[tuple[Split, NDArray[np.int64]]]:
        pictures = pictures_of[Place(None, name)].tolist()
        if len(pictures) < 2:
            raise DataError(f"{self._shown}: class {printable(name, 80)!r} has one image; a split needs at least two.")
        random.Random(SPLIT_SEED).shuffle(pictures)
        tests = max(1, len(pictures) // TEST_SHARE)
        return (("train", np.array(pictures[tests:])), ("test", np.array(pictures[:tests])))

    def _told_left_out(self) -> str:
        if not self._left_out:
            return ""
        told = ", ".join(left.text for left in self.left_out)
        return f" Left out: {told}."


def distinct_names(folders: list[str]) -> tuple[str, ...]:
    """Names of classes, fit to be shown; those that cleaning and shortening makes equal are numbered."""
    shown = [printable(name, NAME_LENGTH) for name in folders]
    numbers: Counter[str] = Counter()
    distinct: dict[str, None] = {}
    for name in shown:
        candidate = name
        while candidate in distinct:
            numbers[name] += 1
            candidate = f"{name} ({numbers[name] + 1})"
        distinct[candidate] = None
    return tuple(distinct)


def _given_splits(pictures_of: dict[Place, NDArray[np.int64]], name: str) -> Iterable[tuple[Split, NDArray[np.int64]]]:
    for split in SPLITS:
        if Place(split, name) in pictures_of:
            yield split, pictures_of[Place(split, name)]


def _pictures_of_places(places: list[Place], number_of: NDArray[np.uint64]) -> dict[Place, NDArray[np.int64]]:
    """For each split and class the positions of its pictures, in the order in which they came."""
    distinct = list(dict.fromkeys(places))
    rank = {place: position for position, place in enumerate(distinct)}
    place_of_picture = np.array([rank[place] for place in places])[number_of]
    order = np.argsort(place_of_picture, kind="stable")
    ends = np.cumsum(np.bincount(place_of_picture, minlength=len(distinct)))
    return dict(zip(distinct, np.split(order, ends[:-1]), strict=True))


def _why_unread(entry: Entry) -> str | None:
    """In a few words, why an entry is not read as a picture."""
    if entry.kind != "file":
        return f"{entry.kind}s" if entry.kind != "device or pipe" else "devices and pipes"
    suffix = entry.path.suffix.lower()
    if suffix in UNREAD_SUFFIXES:
        return f"{suffix[1:].upper()} pictures, which are not read"
    return None if suffix in SUFFIXES or picture_kind(entry.head(HEAD_BYTES)) else NO_PICTURES


def _size_of(entry: Entry) -> Size:
    entry.is_used = True
    try:
        return picture_size(entry.head(HEADER_BYTES), entry.where)
    except DataError:
        return picture_size(entry.read(), entry.where)
