"""Order and batches: equal to the DataLoader's to the bit, either way of loading."""

import msgspec
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import transforms

from cifartui.dataset.images import ImageSet, hold_out, load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.training.loading.batches import batches_per_chunk
from cifartui.training.loading.dataloader import TransformedPictures
from cifartui.training.loading.order import ShuffledOrder
from cifartui.training.prediction import batch_images
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.parts import Loader
from cifartui.training.setup import make_batches

CPU = torch.device("cpu")


@pytest.mark.parametrize("workers", [0, 2])
def test_order_is_that_of_a_shuffling_dataloader(workers: int) -> None:
    """Three epochs of `DataLoader(shuffle=True)` with torch's global generator give the same indices."""
    torch.manual_seed(11)
    order = ShuffledOrder(50, torch.get_rng_state())
    loader = DataLoader(list(range(50)), batch_size=4, shuffle=True, num_workers=workers)
    for epoch in (1, 2, 3):
        indices = torch.cat(list(loader))
        assert torch.equal(indices, order.epoch(epoch))


@pytest.mark.parametrize("batch_size", [4, 7, 2_000])
def test_resident_and_dataloader_batches_are_equal_to_the_bit(sketches: DatasetFacts, batch_size: int) -> None:
    """Images and labels agree bit for bit, the last smaller batch included, and so does the number of batches."""
    image_set = load_image_set(sketches.name, "train")
    recipe = msgspec.structs.replace(load_recipe("tutorial"), batch_size=batch_size)
    through_loader = msgspec.structs.replace(recipe, loader=Loader(kind="dataloader", num_workers=2))
    order = ShuffledOrder(len(image_set), torch.get_rng_state()).epoch(1)
    resident = list(make_batches(image_set, recipe, CPU).in_order(order))
    loaded = list(make_batches(image_set, through_loader, CPU).in_order(order))
    assert len(resident) == len(loaded) == -(-len(image_set) // batch_size)
    for (images, labels), (other_images, other_labels) in zip(resident, loaded, strict=True):
        assert images.dtype == torch.float32
        assert torch.equal(images, other_images)
        assert torch.equal(labels, other_labels)


def test_pictures_go_through_the_tutorials_transforms(sketches: DatasetFacts) -> None:
    """One picture equals ToTensor and Normalize of its pixels, written as in the tutorial."""
    image_set = load_image_set(sketches.name, "train")
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
    picture, label = TransformedPictures(image_set, load_recipe("tutorial").normalize)[17]
    assert torch.equal(picture, transform(image_set.images[17].permute(1, 2, 0).numpy()))
    assert label == int(image_set.labels[17])


def test_held_out_images_are_even_over_the_classes_and_seeded(sketches: DatasetFacts) -> None:
    """Kept and held-out images make up the whole, 3 of each class are held out, the seed decides which."""
    whole = load_image_set(sketches.name, "train")
    kept, held_out = hold_out(whole, 30, seed=1)
    assert held_out.labels.bincount().tolist() == [3] * 10
    assert (len(kept), len(held_out)) == (170, 30)
    assert _pixel_sums(whole) == sorted(_pixel_sums(kept) + _pixel_sums(held_out))
    again, other = hold_out(whole, 30, seed=1)[1], hold_out(whole, 30, seed=2)[1]
    assert torch.equal(again.images, held_out.images)
    assert not torch.equal(other.images, held_out.images)


def _pixel_sums(image_set: ImageSet) -> list[int]:
    return sorted(image_set.images.to(torch.int64).flatten(1).sum(dim=1).tolist())


def test_large_pictures_are_gathered_and_predicted_a_few_at_a_time() -> None:
    """What lies in memory at once is bounded in bytes; pictures of 32 × 32 go 1,024 and 500 at a time."""
    small, large = (ImageSet(torch.zeros(1, 3, side, side), torch.zeros(1), (), "") for side in (32, 320))
    assert [batches_per_chunk(one.images, 4) * 4 for one in (small, large)] == [1_024, 8]
    assert [batch_images(one) for one in (small, large)] == [500, 5]
