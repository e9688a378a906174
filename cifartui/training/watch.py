"""Watching for NaN and infinity without waiting for the device."""

import math

import msgspec
import torch

PENDING_STEPS = 1024
"""After so many steps the flags are read even if nobody asks."""


class NotFinite(msgspec.Struct, frozen=True):
    """Steps that were not applied because their loss or a gradient was NaN or infinite."""

    step: int
    """The first of them, counted from 1."""
    what: str
    """What was not finite in it: `the loss`, or the name of the first weight whose gradient it was."""
    skipped: int
    """How many there were."""


class FiniteWatch:
    """Checks each step's loss and gradients; the result stays on the device, one flag a step, until it is read.

    On a CPU nothing runs ahead of the program, so a raised flag is seen at once and its cause looked up while the
    gradients are there. On a GPU the largest loss and gradients of each step are kept until the flags are read.
    """

    def __init__(
        self, names: list[str], device: torch.device, *, runs_behind: bool, forgiven_in_a_row: int = 0
    ) -> None:
        """`names` of the weights, in the order in which their gradients are given to `check`.

        `runs_behind` says whether the device works off what it is given later, as a GPU does. Of so many steps in a
        row as `forgiven_in_a_row` nothing is told if their loss is finite: of those that overflow in fp16.
        """
        self._names = names
        self._runs_behind = runs_behind
        self._forgiven_in_a_row, self._in_a_row = forgiven_in_a_row, 0
        self._flags = torch.zeros(PENDING_STEPS, device=device)
        self._flag_of: tuple[torch.Tensor, ...] = self._flags.unbind()
        self._scale = torch.ones((), device=device)
        self._pending: list[tuple[int, torch.Tensor | None, list[str]]] = []
        self._first: NotFinite | None = None
        self._skipped = 0

    def check(self, step: int, loss: torch.Tensor, gradients: list[torch.Tensor | None]) -> torch.Tensor:
        """Return a flag `[]` on the device: 1.0 if one of the values is NaN or infinite, else 0.0.

        A weight without a gradient is passed over. The flag is good until the next call of `check` or `read`.
        """
        if len(self._pending) == PENDING_STEPS:
            self._collect()
        flag = self._flag_of[len(self._pending)]
        names = self._names
        values = [loss, *(gradient for gradient in gradients if gradient is not None)]
        if len(values) <= len(names):
            names = [name for name, gradient in zip(names, gradients, strict=True) if gradient is not None]
        largest: torch.Tensor | None = None
        if self._runs_behind:
            values = [largest := _largest(values)]
        _raise_if_not_finite(values, flag, self._scale)
        if not self._runs_behind and flag.item():
            largest = _largest(values)
        self._pending.append((step, largest, names))
        return flag

    def read(self) -> NotFinite | None:
        """The steps since the last call whose flag was raised and is not forgiven; waits for the device."""
        self._collect()
        first, skipped = self._first, self._skipped
        self._first, self._skipped = None, 0
        return msgspec.structs.replace(first, skipped=skipped) if first else None

    def _collect(self) -> None:
        """Read the flags and lower them again."""
        flags = self._flags[: len(self._pending)]
        for (step, largest, names), value in zip(self._pending, flags.tolist(), strict=True):
            self._in_a_row = self._in_a_row + 1 if value else 0
            if not value or self._is_forgiven(largest):
                continue
            if self._first is None:
                self._first = NotFinite(step, _what(largest, names), 0)
            self._skipped += 1
        self._pending = []
        flags.zero_()

    def _is_forgiven(self, largest: torch.Tensor | None) -> bool:
        return self._in_a_row <= self._forgiven_in_a_row and largest is not None and math.isfinite(float(largest[0]))


def _raise_if_not_finite(values: list[torch.Tensor], flag: torch.Tensor, scale: torch.Tensor) -> None:
    """Set a flag to 1.0 if one of the values is NaN or infinite; one kernel for all, as torch.amp.GradScaler has it.

    The kernel also multiplies by `scale`, which is 1 here and leaves every value as it was.
    """
    torch._amp_foreach_non_finite_check_and_unscale_(values, flag, scale)


def _largest(values: list[torch.Tensor]) -> torch.Tensor:
    """The largest size in each tensor `[len(values)]`: NaN or infinite exactly where one of its values is."""
    return torch.stack(torch._foreach_norm(values, math.inf))


def _what(largest: torch.Tensor | None, names: list[str]) -> str:
    assert largest is not None, "a raised flag has its step's values with it"
    position = torch.isfinite(largest).tolist().index(False)
    return names[position - 1] if position else "the loss"
