"""Mixing: what each image has of another, and the loss by the same shares, as the papers have them."""

import copy

import pytest
import torch
from torch import nn, optim
from torch.nn import functional

from cifartui.dataset.store import DatasetFacts
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.loading.mixing import Mixer
from cifartui.training.recipes.mixing import AnyMixing, CutMix, Mixup, NoMixing
from cifartui.training.recipes.parts import Augment
from cifartui.training.step import StepEngine
from tests.training.running import losses, plan, train_here
from tests.training.test_step import CPU, batches

IMAGES = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(64)


def test_nothing_asked_for_changes_nothing() -> None:
    """The very same tensor comes back, and no other labels."""
    mixed = Mixer(NoMixing(), seed=1)(IMAGES, LABELS, 0)
    assert mixed.images is IMAGES
    assert mixed.other_labels is None


@pytest.mark.parametrize("settings", [Mixup(alpha=1.0), CutMix()])
def test_same_seed_and_step_give_the_same_mixture(settings: AnyMixing) -> None:
    """Another step or seed gives another; shares of all sizes occur."""
    mixer = Mixer(settings, seed=1)
    first = mixer(IMAGES, LABELS, 7)
    shares = [mixer(IMAGES, LABELS, step).share for step in range(100)]
    assert min(shares) < 0.5
    assert max(shares) > 0.8
    for again in (mixer(IMAGES, LABELS, 7), Mixer(settings, seed=1)(IMAGES, LABELS, 7)):
        assert torch.equal(again.images, first.images)
    assert not torch.equal(Mixer(settings, seed=2)(IMAGES, LABELS, 7).images, first.images)


def test_mixup_is_the_weighted_mean_of_two_images() -> None:
    """Each image has one partner, and is itself partner of one."""
    for step in range(5):
        images, others, share = Mixer(Mixup(alpha=1.0), seed=1)(IMAGES, LABELS, step)
        assert others is not None
        assert sorted(others.tolist()) == LABELS.tolist()
        torch.testing.assert_close(images, share * IMAGES + (1 - share) * IMAGES[others])


def test_cutmix_lays_one_rectangle_of_another_image_over_each() -> None:
    """The share is that of the pixels that stayed."""
    for step in range(5):
        images, others, share = Mixer(CutMix(), seed=1)(IMAGES, LABELS, step)
        assert others is not None
        laid = (images != IMAGES).all(dim=1)[others != LABELS]
        rows, columns = laid[0].any(dim=1), laid[0].any(dim=0)
        assert torch.equal(laid, (rows[:, None] & columns).expand(len(laid), -1, -1))
        assert share == pytest.approx(1 - float(laid[0].float().mean()))
        assert torch.equal(images[:, :, rows][:, :, :, columns], IMAGES[others][:, :, rows][:, :, :, columns])
        for places in (rows.nonzero(), columns.nonzero()):
            assert len(places) == places[-1] - places[0] + 1


@pytest.mark.parametrize("settings", [NoMixing(), Mixup(), CutMix()])
@pytest.mark.parametrize("parts", [0, 4])
def test_the_loss_is_shared_between_both_labels(settings: AnyMixing, parts: int) -> None:
    """Losses and weights of some steps as written in the papers."""
    torch.manual_seed(3)
    ours = nn.Sequential(nn.Flatten(), nn.Linear(192, 10))
    theirs = copy.deepcopy(ours)
    optimizers = [optim.SGD(module.parameters(), lr=0.05, momentum=0.9, fused=True) for module in (ours, theirs)]
    engine = StepEngine(
        ours, optimizers[0], Augmenter(Augment(), 1), functional.cross_entropy, CPU, mix=Mixer(settings, seed=1)
    )
    engine.images_at_once = parts
    for step, (images, labels) in enumerate(batches(8)):
        optimizers[1].zero_grad()
        mixed, others, share = Mixer(settings, seed=1)(images, labels, step)
        loss = functional.cross_entropy(theirs(mixed), labels)
        if others is not None:
            loss = share * loss + (1 - share) * functional.cross_entropy(theirs(mixed), others)
        loss.backward()
        optimizers[1].step()
        our_loss, _ = engine.take(images, labels, step)
        torch.testing.assert_close(our_loss, loss.detach())
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(our, their)


@pytest.mark.parametrize("kind", ["resident", "dataloader"])
def test_training_repeats_with_mixing(sketches: DatasetFacts, kind: str) -> None:
    """Same seed, same losses, and both loaders agree."""
    settings = ("mixing.name=cutmix", "epochs=1", "batch_size=20", "log_every=2")
    _, reference = train_here(plan(sketches.name, *settings))
    _, again = train_here(plan(sketches.name, *settings, f"loader.kind={kind}"))
    _, plain = train_here(plan(sketches.name, *settings[1:]))
    assert losses(again) == losses(reference)
    assert losses(plain) != losses(reference)
