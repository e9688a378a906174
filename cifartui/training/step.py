"""One optimizer step: all of it, or nothing and why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import nn

from cifartui.errors import CifartuiError
from cifartui.training.accelerator import empty_cache, generator_state, set_generator_state
from cifartui.training.averaging import WeightAverage
from cifartui.training.device_errors import is_out_of_memory
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.loading.mixing import Mixed, Mixer
from cifartui.training.losses import Loss
from cifartui.training.precision import Precision
from cifartui.training.recipes.clipping import AnyClipping, NoClipping, NormClipping
from cifartui.training.recipes.mixing import NoMixing
from cifartui.training.watch import FiniteWatch, NotFinite

NO_CLIPPING = NoClipping()
NO_MIXING = Mixer(NoMixing(), seed=0)
OVERFLOWS_IN_A_ROW = 20
"""Steps in a row whose gradients may overflow in fp16; after 16 the loss is no longer scaled up."""


class OutOfMemory(CifartuiError):
    """A step needed more memory than there is and was not taken."""

    def __init__(self, images: int, fits: int) -> None:
        remedy = f"take at most {fits} at once" if fits else "choose a smaller network"
        super().__init__(f"A step with {images} images at once needs more memory than there is; {remedy}.")
        self.fits = fits
        """The largest number of images at once that fits, of those tried; 0 if not even one does."""


class StepEngine:
    """Takes optimizer steps, and keeps NaN and infinity out of the weights.

    A step whose loss or gradients are not finite changes neither weights nor optimizer nor buffers. That is decided on
    the device, so the steps go on without waiting for it and do not depend on when `not_finite` is called. Random
    numbers that such a step drew stay drawn.
    """

    images_at_once: int
    """Images that go through the network together; 0 for the whole batch.

    Smaller parts of a batch need less memory, and their gradients add up to the same mean over the batch; but batch
    norm takes mean and variance of each part.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        augment: Augmenter,
        loss: Loss,
        device: torch.device,
        clipping: AnyClipping = NO_CLIPPING,
        precision: Precision | None = None,
        mix: Mixer = NO_MIXING,
        average: WeightAverage | None = None,
    ) -> None:
        """`optimizer` leaves out an update on the device if a flag there says so, see `make_optimizer`."""
        self.images_at_once = 0
        self._module, self._optimizer, self._augment = module, optimizer, augment
        self._loss, self._device, self._clipping = loss, device, clipping
        self._precision, self._mix = precision or Precision("fp32", device), mix
        self._average = average
        named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
        self._weights = [weight for _, weight in named]
        self._watch = FiniteWatch(
            [name for name, _ in named],
            device,
            runs_behind=device.type != "cpu",
            forgiven_in_a_row=OVERFLOWS_IN_A_ROW if self._precision.scaler else 0,
        )
        self._has_buffers = any(True for _ in module.buffers())
        # Without the wrapper for torch's profiler and for hooks, of which there are none: 5 % of a small step.
        self._optimizer_step = getattr(type(optimizer).step, "__wrapped__", type(optimizer).step)

    def take(self, images: torch.Tensor, labels: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Take the step that follows `step` steps, with normalised images `[B, 3, H, W]` and labels `[B]`.

        Return the mean loss and the logits `[B, classes]`, on the device.

        Raises:
            OutOfMemory: it does not fit; everything is as it was before, except that unused memory was given back.
        """
        before = _Remembered.of(self._module if self._has_buffers else None, self._device)
        try:
            loss, logits = self._differentiate(images, labels, step, self.images_at_once or len(images))
            self._update(loss, step, before)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return loss, logits
        # Out of the except block: the error would hold on to what the step had in memory.
        raise OutOfMemory(
            min(len(images), self.images_at_once or len(images)), self._find_what_fits(images, labels, step, before)
        )

    def not_finite(self) -> NotFinite | None:
        """The steps since the last call that were not applied, if any; waits for the device."""
        return self._watch.read()

    def rehearse(self, images: torch.Tensor, labels: torch.Tensor, step: int) -> float:
        """Go through a step without taking it; return the seconds until the device was done.

        Weights, buffers and random numbers are as before; of the last step's gradients nothing is left.
        """
        before = _Remembered.of(self._module if self._has_buffers else None, self._device)
        started = perf_counter()
        loss, _ = self._differentiate(images, labels, step, self.images_at_once or len(images))
        loss.item()  # waits for the device
        seconds = perf_counter() - started
        self._drop_gradients()
        if self._has_buffers:
            before.put_back_buffers(self._module, None)
        before.put_back_generators(self._device)
        return seconds

    def _differentiate(
        self, images: torch.Tensor, labels: torch.Tensor, step: int, at_once: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Leave the gradients of the mean loss in the weights' `grad`; return the loss and the logits."""
        self._drop_gradients()
        mixed = self._mix(self._augment(images, step), labels, step)
        if at_once >= len(images):
            return self._differentiate_part(mixed, labels, 1.0)
        parts = -(-len(images) // at_once)
        losses, answers = [], []
        for part, truth in zip(mixed.split(parts), labels.tensor_split(parts), strict=True):
            loss, logits = self._differentiate_part(part, truth, len(truth) / len(images))
            losses.append(loss)
            answers.append(logits)
        return torch.stack(losses).sum(), torch.cat(answers)

    def _differentiate_part(
        self, mixed: Mixed, labels: torch.Tensor, share: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the gradients of a part of a batch; its loss counts as its share of the batch's mean."""
        with self._precision.computing():
            logits = self._module(mixed.images)
            loss = self._loss(logits, labels)
            if mixed.other_labels is not None:
                loss = mixed.share * loss + (1 - mixed.share) * self._loss(logits, mixed.other_labels)
            if share != 1:
                loss = loss * share
        self._precision.differentiate(loss)
        return loss.detach(), logits.detach()

    def _update(self, loss: torch.Tensor, step: int, before: "_Remembered") -> None:
        """Let the optimizer take the gradients in, unless they or the loss are not finite."""
        if not self._optimizer.state:
            self._start_momentum()
        self._precision.unscale(self._optimizer)
        found = self._watch.check(step + 1, loss, [weight.grad for weight in self._weights])
        self._optimizer.found_inf = found  # type: ignore[attr-defined]  # as torch.amp.GradScaler hands it over
        if isinstance(self._clipping, NormClipping):
            nn.utils.clip_grad_norm_(self._weights, self._clipping.max_norm)
        self._optimizer_step(self._optimizer)
        self._precision.end_step()
        if self._has_buffers:
            before.put_back_buffers(self._module, found)
        if self._average:
            self._average.update(found)

    def _start_momentum(self) -> None:
        """Momentum starts from 0, as without: a fused step left out at the start would leave it uninitialised."""
        if not isinstance(self._optimizer, torch.optim.SGD):
            return
        for group in self._optimizer.param_groups:
            for weight in group["params"]:
                if group["momentum"]:
                    self._optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)

    def _drop_gradients(self) -> None:
        for weight in self._weights:
            weight.grad = None

    def _find_what_fits(self, images: torch.Tensor, labels: torch.Tensor, step: int, before: "_Remembered") -> int:
        """Try the step in ever smaller parts, half as large each time, until it goes through; it is not applied."""
        at_once = min(len(images), self.images_at_once or len(images))
        fits = False
        while not fits and at_once > 0:
            at_once //= 2
            self._free(before)
            fits = at_once > 0 and self._goes_through(images, labels, step, at_once)
        self._free(before)
        return at_once

    def _goes_through(self, images: torch.Tensor, labels: torch.Tensor, step: int, at_once: int) -> bool:
        try:
            self._differentiate(images, labels, step, at_once)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _free(self, before: "_Remembered") -> None:
        """Give back what a step took, and undo what it did."""
        self._drop_gradients()
        self._precision.abandon_step()
        if self._has_buffers:
            before.put_back_buffers(self._module, None)
        before.put_back_generators(self._device)
        empty_cache(self._device)


@dataclass(frozen=True)
class _Remembered:
    """What a step changes besides weights and optimizer, as it was before."""

    buffers: list[torch.Tensor]
    """One flat tensor for each type of number: few copies, however many layers have buffers."""
    generator: torch.Tensor
    gpu_generator: torch.Tensor | None

    @classmethod
    def of(cls, module: nn.Module | None, device: torch.device) -> "_Remembered":
        """The generators' state, and the buffers of a module."""
        return cls(
            buffers=[_flat(buffers) for buffers in _buffers_by_type(module)] if module else [],
            generator=torch.get_rng_state(),
            gpu_generator=generator_state(device),
        )

    def put_back_buffers(self, module: nn.Module, where: torch.Tensor | None) -> None:
        """Undo what became of the buffers; with a flag `[]` on the device only if that is not 0."""
        for kept, buffers in zip(self.buffers, _buffers_by_type(module), strict=True):
            chosen = kept if where is None else torch.where(where != 0, kept, _flat(buffers))
            pieces = chosen.split([buffer.numel() for buffer in buffers])
            torch._foreach_copy_(buffers, [piece.view_as(b) for piece, b in zip(pieces, buffers, strict=True)])

    def put_back_generators(self, device: torch.device) -> None:
        """Undo the drawing of random numbers."""
        torch.set_rng_state(self.generator)
        set_generator_state(device, self.gpu_generator)


def _buffers_by_type(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    groups: dict[torch.dtype, list[torch.Tensor]] = {}
    for buffer in module.buffers():
        groups.setdefault(buffer.dtype, []).append(buffer)
    yield from groups.values()


def _flat(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])
