"""Data sets for the screens, and programs in place of their child processes."""

import sys
from pathlib import Path

import pytest

from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, save_dataset


@pytest.fixture
def sketches(sketches: DatasetFacts, sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """`few`, and the same pictures in place of the sketches that a child process of the dataset screen would draw."""
    train, test = sketched
    save_dataset(SKETCHES, train, test, CLASSES, "drawn for the tests", drawn=True)
    return sketches


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python file that is run in place of `python -P -m cifartui`, with the same arguments."""
    file, python = tmp_path / "program.py", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift 3\nexec "{sys.executable}" "{file}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return file
