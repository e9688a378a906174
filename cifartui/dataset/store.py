"""Prepared data sets on disk: `<name>.safetensors` holds the pixels, `<name>.json` the facts about them.

The facts are written last, so a data set is there exactly when its facts are.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cifartui import home
from cifartui.dataset.statistics import ChannelTally
from cifartui.dataset.tensors_file import StreamedTensor, Written, write_tensors
from cifartui.errors import DataError, UsageError
from cifartui.files import durably, write_durably
from cifartui.progress import LongWork, Progress, finish
from cifartui.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cifartui.dataset.spool import SpooledImages

SKETCHES = "sketches"
"""The data set that the program draws itself."""

MAX_SIZES = 8
BLOCK_BYTES = 4 * 1024 * 1024
"""Of pixels, in memory at a time."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class LabelledImages(NamedTuple):
    """Pixels and labels of one split, as numpy arrays."""

    images: "NDArray[np.uint8]"
    """`[N, 3, H, W]`, RGB, 0-255."""
    labels: "NDArray[np.int64]"
    """`[N]`, indices into the class names."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """`N, 3, H, W`."""
        images, channels, height, width = self.images.shape
        return images, channels, height, width

    def blocks(self) -> "Iterator[NDArray[np.uint8]]":
        """The images, a few MB at a time: `[n, 3, H, W]`."""
        at_once = max(1, BLOCK_BYTES // max(1, self.images[:1].nbytes))
        for start in range(0, len(self.images), at_once):
            yield self.images[start : start + at_once]


class ClassCounts(msgspec.Struct, frozen=True):
    """Images per class, in the order of the class names."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...] = ()
    """Empty where the data set brings no held-out split."""


class PictureSize(msgspec.Struct, frozen=True):
    """How many pictures of one size there are."""

    width: int
    """Pixels, upright."""
    height: int
    images: int


NO_PICTURES = "no pictures"
"""Why files were left out that have nothing of a picture."""


class LeftOut(msgspec.Struct, frozen=True):
    """What was not taken in, and why."""

    reason: str
    """In a few words."""
    files: int
    example: str
    """The path of one of them within the source, fit to be shown."""

    @property
    def text(self) -> str:
        """`3 that are no pictures (README.txt …)`: how many, why, and one of them."""
        reason = self.reason
        if reason == NO_PICTURES:
            reason = "that is no picture" if self.files == 1 else "that are no pictures"
        return f"{self.files:,} {reason} ({self.example}{' …' * (self.files > 1)})"


class DatasetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a prepared data set without opening its pixels."""

    name: str
    source: str
    """Where the images came from, in words."""
    drawn: bool
    """True for pictures made by the program instead of photographed."""
    train: int
    test: int
    classes: tuple[str, ...]
    class_counts: ClassCounts
    mean: tuple[float, float, float]
    """Of each channel over the training images, on the scale 0-1."""
    std: tuple[float, float, float]
    image_size: tuple[int, int]
    """Height and width in pixels."""
    sha256: str
    """Of the safetensors file."""
    bytes: int
    created: float
    """Unix time in seconds."""
    verified: float | None = None
    """When the pixels were last hashed and found to be those that were stored, Unix time in seconds."""
    histogram: tuple[tuple[int, ...], ...] = ()
    """For each channel, how many values of the training images lie in each of `HISTOGRAM_BINS` equal ranges."""
    validation: int = 0
    """Images of the held-out split that the data set brings; 0 where it brings none."""
    sizes: tuple[PictureSize, ...] = ()
    """The sizes that the pictures had before they came in, commonest first, at most `MAX_SIZES`."""
    left_out: tuple[LeftOut, ...] = ()
    """What of the source was not taken in."""

    def images(self, split: Split) -> int:
        """How many images a split has."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that the data set has, in the order of `SPLITS`."""
        return tuple(split for split in SPLITS if self.images(split))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return 3, *self.image_size


def check_name(name: str) -> str:
    """Return `name` if it can name a data set.

    Raises:
        UsageError: it is empty, too long, or has characters that do not belong in a file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise UsageError(
            f"{printable(name, 80)!r} cannot name a data set: use 1 to 64 letters, digits, dots, dashes, underscores."
        )
    return name


def images_file(name: str) -> Path:
    """The safetensors file of a data set: of each split its images and labels, `train.images`, `train.labels`."""
    return home.datasets_folder() / f"{check_name(name)}.safetensors"


def facts_file(name: str) -> Path:
    """The JSON file whose presence says that the data set is whole."""
    return home.datasets_folder() / f"{check_name(name)}.json"


def is_prepared(name: str) -> bool:
    """Whether a data set of this name is on this machine."""
    return facts_file(name).exists()


def prepared_names() -> list[str]:
    """The names of all data sets on this machine, sorted."""
    return sorted(path.stem for path in home.datasets_folder().glob("[!.]*.json"))


def load_facts(name: str) -> DatasetFacts:
    """Read the facts of a prepared data set, and check that its pixels are there in full length.

    Raises:
        DataError: there is none of this name, or its files are damaged.
    """
    try:
        facts = msgspec.json.decode(facts_file(name).read_bytes(), type=DatasetFacts)
    except FileNotFoundError as error:
        here = ", ".join(prepared_names()) or "none"
        raise DataError(
            f"There is no data set named {name!r} here (there is: {here}); "
            "import one with `cifartui dataset import PATH --name NAME`."
        ) from error
    except msgspec.MsgspecError as error:
        raise DataError(f"{facts_file(name)} is damaged ({error}); remove it and import the data set again.") from error
    length = images_file(name).stat().st_size if images_file(name).exists() else 0
    if length != facts.bytes:
        raise DataError(
            f"{images_file(name)} is damaged: it has {length:,} bytes and should have {facts.bytes:,}; "
            "remove it and import the data set again."
        )
    return facts


def find_dataset(name: str, sha256: str) -> DatasetFacts:
    """The facts of the data set that was called `name` when its pixels had this sha256, whatever it is called now.

    Raises:
        DataError: it is not here any more.
    """
    names = prepared_names()
    for candidate in sorted(names, key=lambda other: other != name):
        with contextlib.suppress(DataError):
            facts = load_facts(candidate)
            if facts.sha256 == sha256:
                return facts
    shown = printable(name, 80)
    if name in names:
        raise DataError(f"The data set {shown} holds other images now than it did then; name another with --dataset.")
    raise DataError(f"The data set {shown} is not here any more, under any name; import or fetch it again.")


def require_split(name: str, split: Split) -> DatasetFacts:
    """The facts of a data set that has this split.

    Raises:
        DataError: there is no such data set, it is damaged, or brings no such split.
    """
    facts = load_facts(name)
    if not facts.images(split):
        raise DataError(f"Data set {name} has no {split} images; it has {' and '.join(facts.splits)}.")
    return facts


def save_dataset(
    name: str,
    train: LabelledImages,
    test: LabelledImages,
    classes: tuple[str, ...],
    source: str,
    *,
    drawn: bool = False,
    validation: LabelledImages | None = None,
) -> DatasetFacts:
    """Store a data set under `name` and return its facts.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    splits: dict[Split, LabelledImages] = {"train": train, "test": test}
    if validation:
        splits["validation"] = validation
    return finish(store_splits(name, splits, classes, source, drawn=drawn))


def store_splits(
    name: str,
    splits: "Mapping[Split, LabelledImages | SpooledImages]",
    classes: tuple[str, ...],
    source: str,
    *,
    drawn: bool = False,
    sizes: tuple[PictureSize, ...] = (),
    left_out: tuple[LeftOut, ...] = (),
) -> LongWork[DatasetFacts]:
    """Store a data set, of whose pixels a part at a time need be in memory; yields progress in images.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    counts = {split: _counts(splits[split].labels, len(classes)) if split in splits else () for split in SPLITS}
    images = {split: sum(counts[split]) for split in SPLITS}
    tally, done, total = ChannelTally(), 0, sum(images.values())
    with durably(images_file(name)) as temporary:
        writing = write_tensors(temporary, _tensors(splits))
        while True:
            try:
                tensor, block = next(writing)
            except StopIteration as end:
                written: Written = end.value
                break
            if tensor.endswith(".images"):
                done += len(block)
                yield Progress("storing images", done, total)
            if tensor == "train.images":
                tally.add(block)  # type: ignore[arg-type]  # images are bytes
    mean, std, histogram = tally.statistics()
    facts = DatasetFacts(
        name=check_name(name),
        source=source,
        drawn=drawn,
        train=images["train"],
        test=images["test"],
        validation=images["validation"],
        classes=classes,
        class_counts=ClassCounts(**counts),
        mean=mean,
        std=std,
        image_size=splits["train"].shape[2:],
        sha256=written.sha256,
        bytes=written.bytes,
        created=time.time(),
        histogram=histogram,
        sizes=sizes,
        left_out=left_out,
    )
    try:
        write_facts(facts)
    except BaseException:
        images_file(name).unlink(missing_ok=True)
        raise
    return facts


def _tensors(splits: "Mapping[Split, LabelledImages | SpooledImages]") -> Iterator[StreamedTensor]:
    for name, split in splits.items():
        yield StreamedTensor(f"{name}.labels", "int64", split.labels.shape, (split.labels,))
        yield StreamedTensor(f"{name}.images", "uint8", split.shape, split.blocks())


def write_facts(facts: DatasetFacts) -> None:
    """Write the facts of a data set, which is what makes it be there.

    Raises:
        OSError: they cannot be written; the former ones, if any, stand.
    """
    write_durably(facts_file(facts.name), msgspec.json.format(msgspec.json.encode(facts)))


def _counts(labels: "NDArray[np.int64]", classes: int) -> tuple[int, ...]:
    import numpy as np

    return tuple(np.bincount(labels, minlength=classes).tolist())
