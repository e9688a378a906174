"""Data sets for the screens."""

from pathlib import Path

import pytest

from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, save_dataset
from cifartui.tui.guide import remember_welcome, welcomed_file


@pytest.fixture(autouse=True)
def welcomed(home: Path) -> Path:
    """The first start was seen before."""
    remember_welcome()
    return welcomed_file()


@pytest.fixture
def sketches(sketches: DatasetFacts, sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """`few`, and the same pictures in place of the sketches that a child process of the dataset screen would draw."""
    train, test = sketched
    save_dataset(SKETCHES, train, test, CLASSES, "drawn for the tests", drawn=True)
    return sketches
