"""The tables of a recipe: images, what is held out, what is kept."""

from typing import Annotated, Literal

import msgspec

from cifartui.training.recipes.described import Level, PositiveFloat, described


class Loader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How batches come to the network."""

    kind: Annotated[
        Literal["resident", "dataloader"],
        described(
            "resident: all images lie as one tensor on the training device and a batch is an index into it. "
            "dataloader: torch's DataLoader with worker processes, as in the tutorial. Both give the same batches."
        ),
    ] = "resident"
    num_workers: Annotated[
        int,
        described(
            "Processes that load images for the DataLoader (the tutorial: 2); unused when resident.", ge=0, le=64
        ),
    ] = 2
    shuffle: Annotated[bool, described("Whether each epoch visits the training images in a new random order.")] = True


class Normalize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tutorial's transforms: ToTensor scales 0-255 to 0-1, Normalize subtracts `mean` and divides by `std`."""

    mean: Annotated[
        tuple[Level, Level, Level],
        described("Subtracted from the red, green and blue values, which lie between 0 and 1."),
    ]
    std: Annotated[
        tuple[PositiveFloat, PositiveFloat, PositiveFloat],
        described("Divides each channel afterwards; mean 0.5 and std 0.5 give values between -1 and 1."),
    ]


class Augment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How training images are changed each time they are seen; the tutorial does not change them."""

    flip: Annotated[bool, described("Whether every other image, by chance, is mirrored left to right.")] = False
    crop_padding: Annotated[
        int,
        described("Pixels by which an image may be shifted each way; its mirrored edges fill the gap.", ge=0, le=16),
    ] = 0
    cutout: Annotated[
        int, described("Side in pixels of a square that is blotted out at a random place; 0 for none.", ge=0, le=64)
    ] = 0
    brightness: Annotated[
        float,
        described("By how much an image may be lighter or darker: 0.2 for 0.8 to 1.2 times as light.", ge=0, le=1),
    ] = 0.0
    contrast: Annotated[
        float,
        described("By how much an image's distance from its mean grey may grow or shrink, as a share.", ge=0, le=1),
    ] = 0.0
    saturation: Annotated[
        float,
        described("By how much colours may be stronger or weaker, as a share; 1 reaches down to grey.", ge=0, le=1),
    ] = 0.0


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training images set aside to judge the network while it learns; the test images stay untouched."""

    images: Annotated[
        int,
        described(
            "Training images held out (the same number of each class); 0 holds out none, as in the tutorial.", ge=0
        ),
    ] = 0
    every_epochs: Annotated[
        int, described("Epochs from one judging to the next; the last is always judged.", ge=1, le=100_000)
    ] = 1


class Checkpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of a run's checkpoints stay; the best, the pinned and those asked for always do."""

    keep: Annotated[
        int,
        described(
            "How many of the newest checkpoints stay, besides the best by held-out images, the pinned and those asked "
            "for.",
            ge=1,
            le=1_000_000,
        ),
    ] = 3
