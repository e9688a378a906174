"""The order in which an epoch visits the training images."""

import torch


class ShuffledOrder:
    """A new random order each epoch, the one that `DataLoader(shuffle=True)` would take.

    A DataLoader draws two numbers from torch's global generator when an epoch begins: a base seed for its workers
    and the seed of the permutation (torch.utils.data: `_BaseDataLoaderIter`, `RandomSampler`). The same draws from
    a copy of that generator's state give the same order, and any epoch's order without those before it.
    """

    def __init__(self, images: int, generator_state: torch.Tensor) -> None:
        self._images = images
        self.generator_state = generator_state

    def epoch(self, number: int) -> torch.Tensor:
        """Indices of the images in the order of epoch `number` (from 1): int64 `[images]`."""
        generator = torch.Generator()
        generator.set_state(self.generator_state)
        permutation_seed = 0
        for _ in range(number):
            _draw(generator)  # the workers' base seed
            permutation_seed = _draw(generator)
        return torch.randperm(self._images, generator=torch.Generator().manual_seed(permutation_seed))


class FileOrder:
    """The order of the file, the same every epoch."""

    def __init__(self, images: int) -> None:
        self._images = images

    def epoch(self, number: int) -> torch.Tensor:
        """Indices of the images: int64 `[images]`."""
        return torch.arange(self._images)


def _draw(generator: torch.Generator) -> int:
    return int(torch.empty((), dtype=torch.int64).random_(generator=generator).item())
