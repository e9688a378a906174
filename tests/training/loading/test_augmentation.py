"""Augmentation: what flip, crop, colours and cutout may change and what not; the same for the same seed and step."""

import pytest
import torch
from torchvision.transforms import functional

from cifartui.dataset.store import DatasetFacts
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.recipes.parts import Augment, Normalize
from tests.training.running import losses, plan, train_here

IMAGES = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
ALL = Augment(flip=True, crop_padding=4, cutout=8, brightness=0.2, contrast=0.2, saturation=0.2)


def test_nothing_asked_for_changes_nothing() -> None:
    """Without settings the very same tensor comes back."""
    assert Augmenter(Augment(), seed=1)(IMAGES, 0) is IMAGES


def test_same_seed_and_step_give_the_same_images() -> None:
    """Another step or another seed gives other ones, and what was asked in between does not matter."""
    augment = Augmenter(ALL, seed=1)
    first = augment(IMAGES, 7)
    assert not torch.equal(augment(IMAGES, 8), first)
    assert torch.equal(augment(IMAGES, 7), first)
    assert torch.equal(Augmenter(ALL, seed=1)(IMAGES, 7), first)
    assert not torch.equal(Augmenter(ALL, seed=2)(IMAGES, 7), first)


def test_flip_mirrors_about_half() -> None:
    """Each image is itself or its mirror image."""
    flipped = Augmenter(Augment(flip=True), seed=1)(IMAGES, 0)
    mirrored = [torch.equal(after, before.flip(-1)) for before, after in zip(IMAGES, flipped, strict=True)]
    same = [torch.equal(after, before) for before, after in zip(IMAGES, flipped, strict=True)]
    assert all(one != other for one, other in zip(mirrored, same, strict=True))
    assert 16 <= sum(mirrored) <= 48


def test_crop_shifts_by_at_most_the_padding() -> None:
    """Each image is found in its own padded with mirrored edges, at an offset within bounds; all offsets occur."""
    cropped = Augmenter(Augment(crop_padding=2), seed=1)(IMAGES, 0)
    found = set()
    for before, after in zip(IMAGES, cropped, strict=True):
        padded = torch.nn.functional.pad(before[None], [2] * 4, mode="reflect")[0]
        places = [(y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 32, x : x + 32], after)]
        assert len(places) == 1
        found.update(places)
    assert len(found) > 15


def test_flipped_and_shifted_at_once() -> None:
    """Mirrored first, then shifted, as one after the other."""
    moved = Augmenter(Augment(flip=True, crop_padding=3), seed=1)(IMAGES, 0)
    found = set()
    for before, after in zip(IMAGES, moved, strict=True):
        for is_mirrored, image in enumerate((before, before.flip(-1))):
            padded = torch.nn.functional.pad(image[None], [3] * 4, mode="reflect")[0]
            places = [
                (y, x) for y in range(7) for x in range(7) if torch.equal(padded[:, y : y + 32, x : x + 32], after)
            ]
            found.update((is_mirrored, place) for place in places)
    assert {is_mirrored for is_mirrored, _ in found} == {0, 1}
    assert len(found) > 30


def test_colours_change_as_torchvisions_do() -> None:
    """Brightness, contrast, saturation of each image by the factors drawn, between 0 and 1, normalised again."""
    normalize = Normalize(mean=(0.5, 0.4, 0.6), std=(0.25, 0.5, 0.2))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (normalize.mean, normalize.std))
    pixels = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    jitter = Augment(brightness=0.3, contrast=0.5, saturation=0.8)
    changed = Augmenter(jitter, 1, normalize)((pixels - mean) / std, 7) * std + mean
    drawn = torch.Generator().manual_seed(1_000_003 + 7)
    for most, adjust in (
        (0.3, functional.adjust_brightness),
        (0.5, functional.adjust_contrast),
        (0.8, functional.adjust_saturation),
    ):
        factors = (1 + most * (2 * torch.rand(16, generator=drawn) - 1)).tolist()
        assert max(factors) > 1 + most / 2
        assert min(factors) < 1 - most / 2
        pixels = torch.stack([adjust(image, factor) for image, factor in zip(pixels, factors, strict=True)])
    torch.testing.assert_close(changed, pixels, rtol=0, atol=2e-6)


def test_cutout_blots_out_one_square() -> None:
    """The pixels that became 0 form a rectangle of at most 8 × 8 in all three channels."""
    cut = Augmenter(Augment(cutout=8), seed=1)(IMAGES, 0)
    for before, after in zip(IMAGES, cut, strict=True):
        changed = (before != after).all(dim=0)
        rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
        height, width = len(rows), len(columns)
        assert 4 <= height <= 8
        assert 4 <= width <= 8
        assert int(changed.sum()) == height * width
        assert torch.equal(after[:, ~changed], before[:, ~changed])


@pytest.mark.parametrize("kind", ["resident", "dataloader"])
def test_training_repeats_with_augmentation(sketches: DatasetFacts, kind: str) -> None:
    """Same seed, same losses, and both loaders agree."""
    settings = ("augment.flip=true", "augment.crop_padding=4", "augment.cutout=8", "augment.contrast=0.3", "epochs=1")
    _, reference = train_here(plan(sketches.name, *settings))
    _, again = train_here(plan(sketches.name, *settings, f"loader.kind={kind}"))
    _, plain = train_here(plan(sketches.name, "epochs=1"))
    assert losses(again) == losses(reference)
    assert losses(plain) != losses(reference)
