"""Data sets for the screens."""

import pytest

from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, save_dataset


@pytest.fixture
def sketches(sketches: DatasetFacts, sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """`few`, and the same pictures in place of the sketches that a child process of the dataset screen would draw."""
    train, test = sketched
    save_dataset(SKETCHES, train, test, CLASSES, "drawn for the tests", drawn=True)
    return sketches
