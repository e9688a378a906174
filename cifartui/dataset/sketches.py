"""The data set that needs no download: small pictures of CIFAR-10's ten classes, drawn by the program."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cifartui.dataset.drawing.backgrounds import meadow, road, room, sky, water
from cifartui.dataset.drawing.colours import Chance
from cifartui.dataset.drawing.figures import airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck
from cifartui.dataset.drawing.pen import CANVAS, FINENESS, SIDE, Pen
from cifartui.dataset.store import SKETCHES, DatasetFacts, LabelledImages, is_prepared, load_facts, save_dataset
from cifartui.progress import LongWork, Progress

Figure = Callable[[Pen, Chance], None]
Background = Callable[[ImageDraw.ImageDraw, Chance], None]

FIGURES: dict[str, tuple[Figure, tuple[Background, ...]]] = {
    "airplane": (airplane, (sky, sky, sky, road, water)),
    "automobile": (automobile, (road, road, road, meadow, room)),
    "bird": (bird, (sky, sky, meadow, water)),
    "cat": (cat, (room, room, meadow, road)),
    "deer": (deer, (meadow, meadow, meadow, sky)),
    "dog": (dog, (room, meadow, meadow, road)),
    "frog": (frog, (meadow, meadow, water)),
    "horse": (horse, (meadow, meadow, meadow, road)),
    "ship": (ship, (water, water, water, sky)),
    "truck": (truck, (road, road, road, meadow)),
}
"""Each class with its figure and the backgrounds it may stand before; classes share backgrounds, so these alone do not
give the class away."""

CLASSES = tuple(FIGURES)
TRAIN, TEST = 5_000, 1_000
REPORT_EVERY = 200


def draw_sketches(
    train: int = TRAIN, test: int = TEST, seed: int = 0
) -> LongWork[tuple[LabelledImages, LabelledImages]]:
    """Draw training and test images, 32×32, the classes in turn; the same seed draws the same pictures."""
    splits = []
    for stream, images in enumerate((train, test)):
        pixels = np.empty((images, 3, SIDE, SIDE), dtype=np.uint8)
        labels = np.arange(images, dtype=np.int64) % len(CLASSES)
        for index, label in enumerate(labels):
            chance = np.random.default_rng((seed, stream, index))
            pixels[index] = _photographed(np.asarray(_draw(CLASSES[label], chance)), chance).transpose(2, 0, 1)
            if index % REPORT_EVERY == 0:
                yield Progress("drawing sketches", stream * train + index, train + test)
        splits.append(LabelledImages(pixels, labels))
    return splits[0], splits[1]


def prepare_sketches() -> LongWork[DatasetFacts]:
    """Draw and store the sketches, unless they are there already.

    Raises:
        OSError: they cannot be written; nothing of them is left.
    """
    if is_prepared(SKETCHES):
        return load_facts(SKETCHES)
    train, test = yield from draw_sketches()
    yield Progress("storing images", TRAIN + TEST, TRAIN + TEST)
    return save_dataset(SKETCHES, train, test, CLASSES, "drawn by cifartui", drawn=True)


def _draw(name: str, chance: Chance) -> Image.Image:
    """Draw one picture of the class `name`: RGB, `SIDE` × `SIDE` pixels, without noise."""
    figure, backgrounds = FIGURES[name]
    canvas = Image.new("RGB", (CANVAS, CANVAS))
    drawing = ImageDraw.Draw(canvas)
    backgrounds[int(chance.integers(len(backgrounds)))](drawing, chance)
    figure(Pen(drawing, chance), chance)
    return canvas.reduce(FINENESS)


def _photographed(picture: NDArray[np.uint8], chance: Chance) -> NDArray[np.uint8]:
    """Give a picture `[H, W, 3]` the light, contrast and noise of a photograph."""
    grain = chance.standard_normal(picture.shape, dtype=np.float32) * chance.uniform(2, 12)
    light = 128 + (picture - np.float32(128)) * chance.uniform(0.95, 1.45) + chance.uniform(-15, 15) + grain
    return light.clip(0, 255).astype(np.uint8)
