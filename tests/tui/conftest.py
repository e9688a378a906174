"""Data sets for the screens, among them the sketches that the dataset screen would have a child process draw."""

import pytest

from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, save_dataset


@pytest.fixture
def sketches(sketches: DatasetFacts, sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """`few`, and the same pictures in place of the sketches."""
    train, test = sketched
    save_dataset(SKETCHES, train, test, CLASSES, "drawn for the tests", drawn=True)
    return sketches
