"""Batches through torch's DataLoader, as the tutorial loads them."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

from cifartui.dataset.images import ImageSet
from cifartui.training.loading.batches import Batch
from cifartui.training.recipes.parts import Normalize


class LoaderBatches:
    """torch's DataLoader over pictures and the tutorial's transforms, with worker processes."""

    def __init__(
        self, image_set: ImageSet, normalize: Normalize, batch_size: int, workers: int, device: torch.device
    ) -> None:
        self._pictures = TransformedPictures(image_set, normalize)
        self._batch_size = batch_size
        self._workers = workers
        self._device = device

    def in_order(self, order: torch.Tensor) -> Iterator[Batch]:
        loader: DataLoader[tuple[torch.Tensor, int]] = DataLoader(
            self._pictures,
            batch_size=self._batch_size,
            sampler=order.tolist(),
            num_workers=self._workers,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),  # its own, so that loading leaves torch's global generator alone
        )
        for images, labels in loader:
            yield images.to(self._device, non_blocking=True), labels.to(self._device, non_blocking=True)


class TransformedPictures(Dataset[tuple[torch.Tensor, int]]):
    """One picture at a time through `ToTensor` and `Normalize`, as the tutorial composes them."""

    def __init__(self, image_set: ImageSet, normalize: Normalize) -> None:
        self._image_set = image_set
        self._transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize(normalize.mean, normalize.std)]
        )

    def __len__(self) -> int:
        return len(self._image_set)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = to_pil_image(self._image_set.images[index])
        return self._transform(picture), int(self._image_set.labels[index])
