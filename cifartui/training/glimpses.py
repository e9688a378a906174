"""Glimpses of the network while it trains: seldom enough to cost nothing, and without a trace in the training."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, perf_counter

import torch
from torch import nn
from torch.nn import functional

from cifartui.dataset.images import ImageSet
from cifartui.training.prediction import predict
from cifartui.training.recipes.parts import Normalize
from cifartui.training.run.folder import Run
from cifartui.training.run.glimpse import Answer, Filters, Glimpse, Guess, write_glimpse

SECONDS = 1.0
"""From one glimpse to the next, at least."""
TIMES_ITS_COST = 100
"""So many times what a glimpse took is trained before the next."""
PICTURES, GUESSES = 3, 3
"""How many pictures the network is asked about, and how many classes of each answer are told."""
MOST_FILTERS, LARGEST_KERNEL, LARGEST_PICTURE = 64, 16, 64
"""What bounds the file: filters, and pixels in each direction of a kernel and of a picture."""


class Glimpses:
    """Takes glimpses of a network, and writes them into the folder of its run.

    The network is put in evaluation mode and back and draws no random number, so the training goes on as if nobody had
    looked. A glimpse waits for the device and is best taken when a report has just done so.
    """

    def __init__(
        self,
        module: nn.Module,
        pictures: ImageSet | None,
        source: str,
        normalize: Normalize,
        *,
        is_average: bool,
    ) -> None:
        """`pictures`, from `source` (`test images`), are what it is asked about; None where it is not to be asked."""
        self._module, self._is_average = module, is_average
        self._pictures, self._source = pictures, source
        self._normalize = normalize
        self._shown = list(_shrunk(pictures.images)) if pictures else []
        self._due: float | None = None
        """When the next one may be taken; None before the first, whose time goes into loading what is needed."""

    @property
    def is_due(self) -> bool:
        """Whether it is time for a glimpse."""
        return self._due is None or monotonic() >= self._due

    def take(self, run: Run, step: int) -> None:
        """Look at the network after `step` steps.

        Nothing is written where memory or disk have no room; and if the device fails, the next step will say so.
        """
        started = perf_counter()
        with suppress(RuntimeError, MemoryError, OSError):
            glimpse = Glimpse(
                step=step,
                is_average=self._is_average,
                filters=_first_filters(self._module),
                answers=tuple(self._answers()),
                source=self._source,
            )
            write_glimpse(run, glimpse)
        cost = 0.0 if self._due is None else perf_counter() - started
        self._due = monotonic() + max(SECONDS, TIMES_ITS_COST * cost)

    def _answers(self) -> Iterator[Answer]:
        if self._pictures is None:
            return
        device = next(self._module.parameters()).device
        logits = torch.cat([part for part, _ in predict(self._module, self._pictures, self._normalize, device)])
        probabilities = logits.softmax(dim=1).nan_to_num().cpu()
        best = probabilities.topk(min(GUESSES, probabilities.shape[1]))
        classes = self._pictures.classes
        for picture, label, values, places in zip(
            self._shown, self._pictures.labels.tolist(), best.values.tolist(), best.indices.tolist(), strict=True
        ):
            guesses = (
                Guess(place, classes[place], min(1.0, probability))
                for place, probability in zip(places, values, strict=True)
            )
            height, width, _ = picture.shape
            yield Answer(label, classes[label], tuple(guesses), (height, width), picture.numpy().tobytes())


def choose_pictures(image_set: ImageSet, seed: int) -> ImageSet:
    """A picture each of a few classes; which ones depends on `seed` alone."""
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(image_set), generator=generator)
    labels = image_set.labels[shuffled]
    first = [shuffled[(labels == label).nonzero()[0]] for label in labels.unique().tolist()]
    chosen = torch.randperm(len(first), generator=generator)[:PICTURES].tolist()
    return image_set.subset(torch.cat([first[place] for place in chosen]))


def _first_filters(module: nn.Module) -> Filters | None:
    """Of the first convolution; of one that takes other than three channels, their mean over the channels."""
    named = ((name, layer) for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d))
    name, layer = next(named, ("", None))
    if layer is None or max(layer.kernel_size) > LARGEST_KERNEL or layer.kernel_size[0] != layer.kernel_size[1]:
        return None
    weight = layer.weight.detach()[:MOST_FILTERS]
    if weight.shape[1] != 3:
        weight = weight.mean(dim=1, keepdim=True)
    most = torch.finfo(torch.float16).max
    kernels = weight.clamp(-most, most).to("cpu", torch.float16).numpy().astype("<f2")
    count, channels, height, width = kernels.shape
    return Filters(name, layer.out_channels, (count, channels, height, width), kernels.tobytes())


def _shrunk(images: torch.Tensor) -> torch.Tensor:
    """uint8 `[N, 3, H, W]` as uint8 `[N, H', W', 3]`, in both directions alike, where they are large."""
    height, width = images.shape[2:]
    scale = min(1.0, LARGEST_PICTURE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = functional.adaptive_avg_pool2d(images.float(), size).round().to(torch.uint8)
    return small.permute(0, 2, 3, 1).contiguous()
