"""Folders are given the split and class that they can only mean; what could mean two things is refused by name."""

from collections.abc import Iterable

import pytest

from cifartui.dataset.splits import Folder, Place, arrange, split_meant
from cifartui.errors import DataError


def _arranged(*paths: str, empty: Iterable[str] = ()) -> dict[str, Place]:
    """What folders that hold pictures are; the folders in `empty` hold none."""
    pictures: dict[Folder, str] = {tuple(path.split("/")): f"{path}/0.png" for path in paths}
    folders = {folder[:depth] for folder in pictures for depth in range(1, len(folder) + 1)}
    folders |= {tuple(path.split("/")) for path in empty}
    return {"/".join(folder): place for folder, place in arrange(pictures, folders, "mine").items()}


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (
            ("train", "Train", "TRAINING", "seg_train", "train_images", "trainset", "cars-train", "Training Set"),
            "train",
        ),
        (("test", "Test", "testing", "seg_test", "test-data", "asl_alphabet_test"), "test"),
        (("val", "Valid", "VALIDATION", "dev", "val_images"), "validation"),
        (("cat", "trains", "test2", "train_small", "holdout", "seg_pred", "trainval", "train test", "unlabeled"), None),
    ],
)
def test_spellings_of_splits(names: tuple[str, ...], split: str | None) -> None:
    """The common spellings are understood whatever their case, and nothing that only resembles them."""
    assert {name: split_meant(name) for name in names} == dict.fromkeys(names, split)


@pytest.mark.parametrize(
    ("train", "test", "validation"),
    [
        ("Train", "Test", "Val"),
        ("training", "testing", "validation"),
        ("seg_train/seg_train", "seg_test/seg_test", "seg_val/seg_val"),
        ("pictures/train", "pictures/test", "pictures/valid"),
    ],
)
def test_three_splits(train: str, test: str, validation: str) -> None:
    """Each folder goes to its split, and the class is the folder of the pictures."""
    folders = {"train": train, "test": test, "validation": validation}
    places = _arranged(*(f"{folder}/{name}" for folder in folders.values() for name in ("cat", "dog")))
    for split, folder in folders.items():
        assert places[f"{folder}/cat"] == (split, "cat")


def test_class_of_trains() -> None:
    """A class called `train` is one beside other classes, with and without splits."""
    assert _arranged("plane", "train", "ship")["train"] == (None, "train")
    assert _arranged("train/plane", "train/train", "test/plane", "test/train")["train/train"] == ("train", "train")
    for name in ("train station", "bullet_train", "crash test dummy"):
        assert _arranged("plane", name)[name] == (None, name)


def test_classes_in_groups() -> None:
    """Folders between split and class, or above classes that come once, are passed over."""
    assert _arranged("animals/cat", "things/car")["things/car"] == (None, "car")
    places = _arranged("train/animals/cat", "train/things/car", "test/animals/cat", "test/things/car")
    assert places["test/things/car"] == ("test", "car")


REFUSED = {
    "an unknown split": (("train/a", "test/a", "holdout/a"), "the folder 'holdout' lies beside train/ and test/"),
    "a second test split": (("train/a", "test/a", "test2/a"), "the folder 'test2' lies beside train/ and test/"),
    "pictures to predict": (("train/a", "test/a", "seg_pred/seg_pred"), "the folder 'seg_pred' lies beside"),
    "pictures without a class": (("train/a", "test/a", "unlabeled"), "the folder 'unlabeled' lies beside"),
    "a split within a split": (("train/test2/a", "train/b", "test/a"), "the folder 'test2' lies within train/"),
    "a stray class": (("train/a", "test/a", "bird"), "has the folder 'bird' beside train/ and test/"),
    "a stray folder of classes": (("x/train/a", "x/test/a", "x/more/a"), "has the folder 'more' beside train/ and"),
    "two training sets": (("train/a", "Training/a", "test/a"), "has two folders for the train images, train/ and"),
    "no test": (("train/a", "val/a"), "has no test/ folder; rename val/ to test/, or add one"),
    "training alone": (("train/a", "train/b"), "has no test/ folder; add one, or leave both out"),
    "test alone": (("seg_test/a",), "has no train/ folder"),
    "flat splits": (("train", "test"), "train/0.png lies in no class folder"),
    "flat splits with prefixes": (("seg_train", "seg_test"), "seg_train/0.png lies in no class folder"),
    "a flat test": (("train/a", "test"), "test/0.png lies in no class folder"),
    "flat within a split": (("train/train", "test/a"), "train/train/0.png lies in no class folder"),
    "a flat test beside classes": (("cat", "dog", "test"), "the folder 'test' holds pictures beside 2 class folders"),
    "a flat holdout": (("cat", "dog", "holdout"), "the folder 'holdout' holds pictures beside"),
    "train alone": (("train",), "the folder 'train' holds pictures beside 0 class folders"),
    "splits within classes": (("cat/train", "cat/test", "dog/train", "dog/test"), "has cat/train/ within a class"),
    "the same classes twice": (("one/cat", "two/cat"), "has classes in one/ and in two/, and neither says"),
    "pictures above classes": (("cat", "cat/small"), "cat/0.png lies in no class folder"),
    "a class without tests": (("train/a", "train/b", "test/a"), "has no image of class 'b' in test/"),
    "a class only held out": (("train/a", "test/a", "val/b"), "has no image of class 'b' in train/"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_mean_two_things_is_refused(case: str) -> None:
    """The sentence names the folder."""
    paths, sentence = REFUSED[case]
    with pytest.raises(DataError) as caught:
        _arranged(*paths)
    assert sentence in str(caught.value)


def test_folders_without_pictures() -> None:
    """An empty class is named, an empty split too; empty folders elsewhere do not matter."""
    with pytest.raises(DataError, match="has no image of class 'b' in train/"):
        _arranged("train/a", "test/a", empty=["train/b"])
    with pytest.raises(DataError, match="has no images in test/"):
        _arranged("train/a", empty=["test", "test/a"])
    assert len(_arranged("cat", "dog", empty=["notes"])) == 2
