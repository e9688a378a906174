"""Prepared data sets on disk: `<name>.safetensors` holds the pixels, `<name>.json` the facts about them.

The facts are written last, so a data set is there exactly when its facts are.
"""

import contextlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cifartui import home
from cifartui.errors import DataError, UsageError
from cifartui.files import durably, sha256_of, system_errors, write_durably
from cifartui.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKETCHES = "sketches"
"""The data set that the program draws itself."""

HISTOGRAM_BINS = 32

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class LabelledImages(NamedTuple):
    """Pixels and labels of one split, as numpy arrays."""

    images: "NDArray[np.uint8]"
    """`[N, 3, H, W]`, RGB, 0-255."""
    labels: "NDArray[np.int64]"
    """`[N]`, indices into the class names."""


class ClassCounts(msgspec.Struct, frozen=True):
    """Images per class, in the order of the class names."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...] = ()
    """Empty where the data set brings no held-out split."""


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
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[np.generic]] = {
        "train.images": train.images,
        "train.labels": train.labels,
        "test.images": test.images,
        "test.labels": test.labels,
    }
    if validation:
        tensors |= {"validation.images": validation.images, "validation.labels": validation.labels}
    mean, std, histogram = channel_statistics(train.images)
    with durably(images_file(name)) as temporary:
        with system_errors(images_file(name)):
            save_file(tensors, temporary)
        length, sha256 = temporary.stat().st_size, sha256_of(temporary)
    facts = DatasetFacts(
        name=check_name(name),
        source=source,
        drawn=drawn,
        train=len(train.labels),
        test=len(test.labels),
        classes=classes,
        validation=len(validation.labels) if validation else 0,
        class_counts=ClassCounts(
            train=_counts(train, len(classes)),
            test=_counts(test, len(classes)),
            validation=_counts(validation, len(classes)) if validation else (),
        ),
        mean=mean,
        std=std,
        image_size=(train.images.shape[2], train.images.shape[3]),
        sha256=sha256,
        bytes=length,
        created=time.time(),
        histogram=histogram,
    )
    try:
        write_facts(facts)
    except BaseException:
        images_file(name).unlink(missing_ok=True)
        raise
    return facts


def write_facts(facts: DatasetFacts) -> None:
    """Write the facts of a data set, which is what makes it be there.

    Raises:
        OSError: they cannot be written; the former ones, if any, stand.
    """
    write_durably(facts_file(facts.name), msgspec.json.format(msgspec.json.encode(facts)))


Triple = tuple[float, float, float]


def channel_statistics(images: "NDArray[np.uint8]") -> tuple[Triple, Triple, tuple[tuple[int, ...], ...]]:
    """Of each channel of `[N, 3, H, W]`: exact mean and standard deviation (population) on the scale 0-1; histogram."""
    import numpy as np

    histogram = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(images), 1_000):  # bincount widens its input to 64 bits
        for channel in range(3):
            histogram[channel] += np.bincount(images[start : start + 1_000, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    share = histogram / histogram.sum(axis=1, keepdims=True)
    mean = share @ levels
    std = np.sqrt(share @ levels**2 - mean**2)
    bins = tuple(tuple(row) for row in histogram.reshape(3, HISTOGRAM_BINS, -1).sum(axis=2).tolist())
    return (mean[0].item(), mean[1].item(), mean[2].item()), (std[0].item(), std[1].item(), std[2].item()), bins


def _counts(split: LabelledImages, classes: int) -> tuple[int, ...]:
    import numpy as np

    return tuple(np.bincount(split.labels, minlength=classes).tolist())
