"""What the screens that look into a network have in common: the picture, the weights, and the wait for both."""

from pathlib import Path

import msgspec
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cifartui.children import Child
from cifartui.dataset.store import load_facts
from cifartui.errors import CifartuiError, DataError
from cifartui.inspection.activation_file import ActivationFile
from cifartui.model.network import Network
from cifartui.text import shortened
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.folder import all_runs
from cifartui.tui.activations import TOGETHER, Asked
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.view import short_id
from cifartui.tui.widgets.dialogs import ChoiceDialog, TextDialog
from cifartui.tui.widgets.paths import ANY_FILE, WEIGHTS

FRESH = "fresh"
LEAST_NAME_CELLS = 8
"""Of a picture's name in the title, before the weights are said in fewer words."""
SEPARATOR = " · "


KEYS: list[BindingType] = [
    Binding("n", "turn(1)", "next", tooltip="Take the next picture", id="look.next"),
    Binding("N", "turn(-1)", "previous", tooltip="Take the picture before", show=False, id="look.previous"),
    Binding("i", "image", "own", tooltip="Take a picture file of your own", id="look.image"),
    Binding(
        "o",
        "weights",
        "weights",
        tooltip="Choose the weights: untrained ones, or those of a checkpoint",
        id="look.weights",
    ),
    Binding("escape,q", "close", "back", tooltip="Go back to the network", id="look.close", key_display="esc"),
]


class ActivationScreen(CifarScreen):
    """A picture goes through a network, and its layers can be looked at; the screens say how."""

    def __init__(self, network: Network, layer: str) -> None:
        super().__init__()
        self.looked_at = layer
        """The name of the operation that is looked at."""
        self.file: ActivationFile | None = None
        self._asked = Asked(network=network, dataset=None)
        """What is shown."""
        self._wanted = self._asked
        """What was asked for last; it may still be under way."""
        self._child: Child | None = None

    @property
    def picture(self) -> int:
        """Which picture of the file is looked at."""
        return 0 if self._asked.image else self._asked.place % TOGETHER

    def on_mount(self) -> None:
        last = self.cifar_app.activations.last
        dataset = self.cifar_app.dataset_name
        if last and (last.network, last.dataset) == (self._asked.network, dataset):
            self._ask(last)
        else:
            self._ask(msgspec.structs.replace(self._asked, dataset=dataset))

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()

    def on_resize(self) -> None:
        if self.file:
            self.call_after_refresh(self.draw)

    def opened(self) -> None:
        """Another file or picture is there."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw what is looked at."""
        raise NotImplementedError

    @property
    def weights_text(self) -> str:
        """Whose weights they are."""
        return short_id(self.file.facts.weights) if self.file and self._asked.weights else "untrained"

    def facts_text(self, room: int) -> str:
        """The picture and the weights in a few words."""
        if not self.file:
            return ""
        return picture_and_weights(self.file.facts.pictures[self.picture].name, self.weights_text, room)

    def _ask(self, asked: Asked) -> None:
        if self._child:
            self._child.cancel()
            self._child = None
        self._wanted = asked
        if not (asked.dataset or asked.image):
            self._failed("There is no data set to take a picture from: press i and name a picture file.")
            return
        if file := self.cifar_app.activations.have(asked):
            self._show(asked, file)
            return
        try:
            self._child = self.cifar_app.activations.compute(asked)
        except CifartuiError as error:
            self._failed(str(error))
            return
        self.add_class("-computing")
        self.query_one("#title", Static).update("running the network …")
        self._wait(self._child, asked)

    @work(thread=True, group="activations", exit_on_error=False, description="run a network over pictures")
    def _wait(self, child: Child, asked: Asked) -> None:
        try:
            for _ in child.progress():
                pass
            child.result()
            if child is not self._child:
                return
            file = self.cifar_app.activations.take(asked)
        except CifartuiError as error:
            if child is self._child:
                self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._show, asked, file)

    def _failed(self, sentence: str) -> None:
        self._child = None
        self.remove_class("-computing")
        self.cifar_app.complain(sentence)
        if self.file:
            self._wanted = self._asked
            self.draw()
        else:
            self._wanted = msgspec.structs.replace(self._wanted, weights="", image="")
            self.query_one("#title", Static).update("nothing to look at: esc goes back")

    def _show(self, asked: Asked, file: ActivationFile) -> None:
        self._child = None
        self.remove_class("-computing")
        self._asked, self._wanted, self.file = asked, asked, file
        self.cifar_app.activations.last = asked
        self.opened()
        self.refresh_bindings()

    def action_turn(self, direction: int) -> None:
        """The next picture of the data set or the one before."""
        if self._wanted.image:
            self._ask(msgspec.structs.replace(self._wanted, image=""))
        elif self._wanted.dataset:
            try:
                pictures = load_facts(self._wanted.dataset).test
            except CifartuiError as error:
                self.cifar_app.complain(str(error))
                return
            if 0 <= self._wanted.place + direction < pictures:
                self._ask(msgspec.structs.replace(self._wanted, place=self._wanted.place + direction))

    def action_image(self) -> None:
        """Ask for a picture file."""

        def take(path: str | None) -> None:
            if path:
                self._ask(msgspec.structs.replace(self._wanted, image=str(Path(path.strip()).expanduser().absolute())))

        title = "Path of a picture; it is cut and shrunk to the network's size:"
        self.app.push_screen(TextDialog(title, self._wanted.image, _require_file, path=ANY_FILE), take)

    def action_weights(self) -> None:
        """Choose fresh weights, those of a run with this network, or of a file."""

        def take(weights: str | None) -> None:
            if weights:
                self._ask(msgspec.structs.replace(self._wanted, weights="" if weights == FRESH else weights))

        checkpoints = self._checkpoints()
        title = "Weights" if checkpoints else "Weights (no run has trained this network yet; 3 trains it)"
        choices = [(FRESH, "untrained weights: the random numbers that training starts with"), *checkpoints]
        other = "or a .pth or .safetensors file"
        self.app.push_screen(ChoiceDialog(title, choices, other, self._wanted.weights or FRESH, path=WEIGHTS), take)

    def _checkpoints(self) -> list[tuple[str, str]]:
        found = []
        for run in all_runs():
            try:
                network = run.config().network
                if (network.layers, network.factory) != (self._wanted.network.layers, self._wanted.network.factory):
                    continue
            except CifartuiError:
                continue  # a damaged run has no weights to offer
            found += [
                (f"{run.id}@{facts.step}", f"{short_id(run.id)} · network {network.name} · step {facts.step:,}")
                for facts in reversed(list_checkpoints(run))
            ]
        return found

    def action_close(self) -> None:
        """Go back to the model."""
        self.dismiss()


def picture_and_weights(name: str, weights: str, room: int) -> str:
    """Both in so many cells: the picture's name is cut first, then a checkpoint is `k3f@12500` without its recipe."""
    if len(weights) > room - len(SEPARATOR) - min(len(name), LEAST_NAME_CELLS) and "@" in weights:
        run, _, step = weights.rpartition("@")
        weights = f"{run.rpartition('-')[2]}@{step}"
    return f"{shortened(name, max(1, room - len(SEPARATOR) - len(weights)))}{SEPARATOR}{weights}"


def _require_file(path: str) -> None:
    """Check what was typed, while it can still be corrected.

    Raises:
        DataError: there is no such file.
    """
    if not Path(path.strip()).expanduser().is_file():
        raise DataError(f"There is no file {path.strip()}; check the path.")
