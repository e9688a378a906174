"""Ending a run early, when its accuracy on held-out images rises no more."""

from typing import Any

import torch

from cifartui.training.recipes.stopping import AnyStopping, Patience


class EarlyStopping:
    """Remembers the best epoch so far, and says when it has been waited long enough for a better one."""

    name = "stopping"

    def __init__(self, settings: AnyStopping) -> None:
        self._patience = settings.epochs if isinstance(settings, Patience) else None
        self._best_correct = -1
        self._best_epoch = self._judged_epoch = 0

    def judge(self, epoch: int, correct: int) -> None:
        """Take in how many held-out images were answered rightly after an epoch."""
        self._judged_epoch = epoch
        if correct > self._best_correct:
            self._best_correct, self._best_epoch = correct, epoch

    @property
    def reason(self) -> str:
        """Why the run ends now, as a clause; empty while it goes on."""
        if self._patience is None or self._judged_epoch - self._best_epoch < self._patience:
            return ""
        epochs = "an epoch" if self._patience == 1 else f"{self._patience:,} epochs"
        return (
            f"after epoch {self._judged_epoch:,}, early: the accuracy on held-out images has not risen for {epochs}, "
            f"since epoch {self._best_epoch:,}"
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """None."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What was judged; nothing in a run that never ends early."""
        if self._patience is None:
            return {}
        return {"best_correct": self._best_correct, "best_epoch": self._best_epoch, "judged_epoch": self._judged_epoch}

    def restore(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """Take back what `facts` gave; a fork whose parent never ended early begins to wait."""
        if facts:
            self._best_correct, self._best_epoch = int(facts["best_correct"]), int(facts["best_epoch"])
            self._judged_epoch = int(facts["judged_epoch"])
        else:
            self._best_correct, self._best_epoch, self._judged_epoch = -1, 0, 0
