"""How a checkpoint or a file of weights is evaluated: by a child process, of which the screen shows what comes."""

import tempfile
from pathlib import Path
from typing import ClassVar

import msgspec
import tomli_w
from textual import work
from textual.binding import Binding, BindingType

from cifartui.children import Child
from cifartui.errors import CifartuiError, explain
from cifartui.evaluation.results import Evaluation
from cifartui.failures import failure
from cifartui.model.network import Network, load_network
from cifartui.tui.screens.keeping import KeepingScreen
from cifartui.tui.widgets.dialogs import TextDialog
from cifartui.tui.widgets.paths import WEIGHTS


class EvaluatingScreen(KeepingScreen):
    """A screen on which one evaluation at a time can be under way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "file", "file", tooltip="Evaluate a .pth or .safetensors file of weights", id="evaluation.file"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._child: Child | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def show_progress(self, activity: str, done: int = 0, total: int = 0, unit: str = "") -> None:
        """Say how far the evaluation is; with no activity it is over."""
        raise NotImplementedError

    def take_result(self, evaluation: Evaluation, identity: str) -> None:
        """Show what came of it; `identity` is that of the list's line, empty for a file."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()
        if self._folder:
            self._folder.cleanup()

    def action_file(self) -> None:
        """Ask for a file of weights and evaluate it on the data set in use, as weights of the network in hand."""
        dataset = self.cifar_app.dataset_name
        if not dataset:
            self.cifar_app.complain("There is no data set to evaluate on; press 1 and fetch or import one.")
            return
        try:
            network = self.cifar_app.network or load_network(self.cifar_app.recipe.network)
        except (CifartuiError, OSError) as error:
            self.cifar_app.complain(str(failure(error)))
            return

        def evaluate(path: str | None) -> None:
            if path:
                try:
                    recipe = self._recipe_file(network)
                except OSError as error:
                    self.cifar_app.complain(str(explain(error)))
                else:
                    self.evaluate("", "--dataset", dataset, "--recipe", recipe, "--", path)

        title = (
            f"Evaluate a .pth or .safetensors file as weights of network {network.name} (2 changes it) on {dataset}:"
        )
        self.app.push_screen(TextDialog(title, path=WEIGHTS), evaluate)

    def _recipe_file(self, network: Network) -> str:
        """Write the recipe in hand with the network in hand, for the child process to read."""
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="cifartui-")
        network_file, recipe_file = (Path(self._folder.name) / f"{name}.toml" for name in ("network", "recipe"))
        network_file.write_text(tomli_w.dumps(msgspec.to_builtins(network)))
        recipe = msgspec.structs.replace(self.cifar_app.recipe, network=network.factory or str(network_file))
        recipe_file.write_text(tomli_w.dumps(msgspec.to_builtins(recipe)))
        return str(recipe_file)

    def evaluate(self, identity: str, *arguments: str) -> None:
        """Start evaluating with arguments of the command; `identity` is that of the list's line, empty for a file."""
        if self._child:
            self.cifar_app.complain("An evaluation is under way; wait for its result.")
            return
        self._child = Child("cifartui", "evaluate", "--json", *arguments)
        self.show_progress("evaluating")
        self._watch(self._child, identity)

    @work(thread=True, group="evaluate", exit_on_error=False, description="evaluate")
    def _watch(self, child: Child, identity: str) -> None:
        for step in child.progress():
            self.app.call_from_thread(self.show_progress, step.activity, step.done, step.total or 0, step.unit)
        try:
            evaluation = msgspec.json.decode(child.result(), type=Evaluation)
        except CifartuiError as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._finished, evaluation, identity)

    def _failed(self, problem: str) -> None:
        self._child = None
        self.show_progress("")
        self.cifar_app.complain(problem)

    def _finished(self, evaluation: Evaluation, identity: str) -> None:
        self._child = None
        self.show_progress("")
        self.take_result(evaluation, identity)
