"""A home of its own for every test, small data sets to train on, and programs in place of child processes."""

import os
import sys
from pathlib import Path

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"  # read when textual is imported; without a terminal it finds none

import numpy as np
import pytest

from cifartui.dataset.sketches import CLASSES, draw_sketches
from cifartui.dataset.store import DatasetFacts, LabelledImages, save_dataset
from cifartui.progress import finish


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's folder, empty and gone after the test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CIFARTUI_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def sketched() -> tuple[LabelledImages, LabelledImages]:
    """200 training and 100 test sketches."""
    return finish(draw_sketches(train=200, test=100, seed=3))


@pytest.fixture
def sketches(sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """A prepared data set named `few` with 200 training and 100 test sketches."""
    train, test = sketched
    return save_dataset("few", train, test, CLASSES, "drawn for the tests", drawn=True)


def noise(images: int, size: int = 32, classes: int = 10, seed: int = 0) -> LabelledImages:
    """Images of random pixels, labelled in turn."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (images, 3, size, size), dtype=np.uint8)
    return LabelledImages(pixels, np.arange(images, dtype=np.int64) % classes)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python file that is run in place of `python -P -m cifartui`, with the same arguments."""
    file, python = tmp_path / "program.py", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift 3\nexec "{sys.executable}" "{file}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return file
