"""The keys by which the checkpoint under the cursor is exported, pinned and removed."""

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cifartui.children import Child
from cifartui.errors import CifartuiError, explain
from cifartui.evaluation.results import weights_file_name
from cifartui.evaluation.store import JudgedCheckpoint
from cifartui.model.source import loading_source
from cifartui.training.run.checkpoints import remove_checkpoint
from cifartui.training.run.keeping import is_last_whole, pin, unpin
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.view import short_id
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog, TextScreen
from cifartui.tui.widgets.paths import WEIGHTS


class KeepingScreen(NounScreen):
    """A screen with a list of checkpoints."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p",
            "export",
            "export",
            tooltip="Write the checkpoint under the cursor as a .pth file for PyTorch",
            id="evaluation.export",
        ),
        Binding(
            "k",
            "pin",
            "pin",
            tooltip="Keep the checkpoint under the cursor whatever comes after it, or let it go again in its turn",
            id="evaluation.pin",
        ),
        Binding(
            "delete",
            "remove",
            "remove",
            tooltip="Remove the checkpoint under the cursor; you are asked first",
            id="evaluation.remove",
        ),
    ]

    @property
    def checkpoint(self) -> JudgedCheckpoint | None:
        """The one under the cursor."""
        raise NotImplementedError

    def list_checkpoints(self) -> None:
        """Read the runs' folders anew, and show what is there."""
        raise NotImplementedError

    def action_export(self) -> None:
        """Ask where to write the checkpoint under the cursor."""
        checkpoint = self.checkpoint
        if checkpoint:

            def write(path: str | None) -> None:
                if path:
                    self._export(checkpoint, str(Path(path.strip()).expanduser().absolute()))

            try:
                name = weights_file_name(checkpoint.run.config().dataset)
            except CifartuiError as error:
                self.cifar_app.complain(str(error))
                return
            title = f"Write the weights of {short_id(checkpoint.reference)} to:"
            where = f"A name without a folder is a file in {Path.cwd()}."
            self.app.push_screen(TextDialog(title, name, explanation=where, path=WEIGHTS), write)

    @work(thread=True, group="export", exit_on_error=False, description="export weights")
    def _export(self, checkpoint: JudgedCheckpoint, path: str) -> None:
        child = Child("cifartui", "export", "pth", "--output", path, "--", checkpoint.reference)
        try:
            child.result()
            loading = loading_source(checkpoint.run.config().network, path)
            text = f"{path}: the state_dict of {checkpoint.reference}\n\n{loading}"
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
        else:
            self.app.call_from_thread(self.app.push_screen, TextScreen("written; PyTorch loads it with", text))

    def action_pin(self) -> None:
        """Pin the checkpoint under the cursor, or unpin it."""
        if self.checkpoint:
            self._pin(self.checkpoint)

    @work(thread=True, group="pin", exit_on_error=False, description="pin a checkpoint")
    def _pin(self, checkpoint: JudgedCheckpoint) -> None:
        try:
            (unpin if checkpoint.facts.pinned else pin)(checkpoint.run, checkpoint.facts)
        except OSError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(explain(error)))
        else:
            self.app.call_from_thread(self.list_checkpoints)

    def action_remove(self) -> None:
        """Remove the checkpoint under the cursor, once that is confirmed."""
        if self.checkpoint:
            self._look_at_removal(self.checkpoint)

    @work(thread=True, group="remove", exclusive=True, exit_on_error=False, description="look at what is removed")
    def _look_at_removal(self, checkpoint: JudgedCheckpoint) -> None:
        is_last = is_last_whole(checkpoint.run, checkpoint.facts)
        self.app.call_from_thread(self._ask_for_removal, checkpoint, is_last)

    def _ask_for_removal(self, checkpoint: JudgedCheckpoint, is_last: bool) -> None:
        """Ask once, and a second time for the last whole one of a run."""

        def remove(answer: bool | None) -> None:
            if answer:
                self._remove(checkpoint)

        def ask_again(answer: bool | None) -> None:
            if answer:
                question = f"It is the last whole one: nothing will be left from which {name} can go on. Remove it?"
                self.app.push_screen(ConfirmDialog(question), remove)

        name = short_id(checkpoint.run.id)
        kept = " Its result is kept." * bool(checkpoint.result)
        pinned = ", which is pinned" * checkpoint.facts.pinned
        question = f"Remove the checkpoint {short_id(checkpoint.reference)}{pinned}?{kept}"
        self.app.push_screen(ConfirmDialog(question), ask_again if is_last else remove)

    @work(thread=True, group="remove", exit_on_error=False, description="remove a checkpoint")
    def _remove(self, checkpoint: JudgedCheckpoint) -> None:
        try:
            remove_checkpoint(checkpoint.run, checkpoint.facts)
        except OSError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(explain(error)))
        else:
            self.app.call_from_thread(self.list_checkpoints)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action in ("export", "pin", "remove"):
            return bool(self.checkpoint and self.checkpoint.is_there)
        return super().check_action(action, parameters)
