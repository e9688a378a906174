"""The data set that needs no download: small pictures of CIFAR-10's ten classes, drawn by the program."""

import numpy as np
from numpy.typing import NDArray

from cifartui.dataset.drawings import FIGURES, SIDE, draw
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, is_prepared, load_facts, save_dataset
from cifartui.progress import Progress, Steps

CLASSES = tuple(FIGURES)
TRAIN, TEST = 5_000, 1_000
REPORT_EVERY = 200


def draw_sketches(train: int = TRAIN, test: int = TEST, seed: int = 0) -> Steps[tuple[LabelledImages, LabelledImages]]:
    """Draw training and test images, 32×32, the classes in turn; the same seed draws the same pictures."""
    splits = []
    for stream, images in enumerate((train, test)):
        pixels = np.empty((images, 3, SIDE, SIDE), dtype=np.uint8)
        labels = np.arange(images, dtype=np.int64) % len(CLASSES)
        for index, label in enumerate(labels):
            chance = np.random.default_rng((seed, stream, index))
            pixels[index] = _photographed(np.asarray(draw(CLASSES[label], chance)), chance).transpose(2, 0, 1)
            if index % REPORT_EVERY == 0:
                yield Progress("drawing sketches", stream * train + index, train + test)
        splits.append(LabelledImages(pixels, labels))
    return splits[0], splits[1]


def prepare_sketches() -> Steps[DatasetFacts]:
    """Draw and store the sketches, unless they are there already.

    Raises:
        OSError: they cannot be written; nothing of them is left.
    """
    if is_prepared(SKETCHES):
        return load_facts(SKETCHES)
    train, test = yield from draw_sketches()
    yield Progress("storing images", TRAIN + TEST, TRAIN + TEST)
    return save_dataset(SKETCHES, train, test, CLASSES, "drawn by cifartui", drawn=True)


def _photographed(picture: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    """Give a picture `[H, W, 3]` the light, contrast and noise of a photograph."""
    grain = chance.standard_normal(picture.shape, dtype=np.float32) * chance.uniform(2, 12)
    light = 128 + (picture - np.float32(128)) * chance.uniform(0.95, 1.45) + chance.uniform(-15, 15) + grain
    return light.clip(0, 255).astype(np.uint8)
