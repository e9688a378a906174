"""What a preview of augmentation gives, as a value that needs no torch."""

import msgspec


class AugmentedPictures(msgspec.Struct, frozen=True):
    """A picture several times, each time changed as a step of training would change it."""

    image_size: tuple[int, int]
    """Height and width in pixels."""
    pictures: list[bytes]
    """Each `[H, W, 3]`, RGB, row by row."""
