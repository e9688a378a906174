"""One picture opened: its three channels, and each pixel as the tutorial's transforms change it."""

from typing import TYPE_CHECKING, ClassVar

import msgspec
import numpy as np
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Static

from cifartui.dataset.pictures import Picture, read_pictures
from cifartui.dataset.store import DatasetFacts, Split
from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.training.previews import Previews
from cifartui.training.recipe import settings
from cifartui.tui.children import ChildCommand
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.widgets.pixels import PixelView, shows_colours, shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNELS = ("red", "green", "blue")
VARIANTS = 6
ROOMY = (142, 42)
"""Columns and lines from which on the small pictures are shown in full."""


class PictureScreen(CifarScreen):
    """Look at one picture after the other, pixel by pixel."""

    CSS_PATH = "picture.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "pixel", tooltip="Another pixel", id="picture.left", key_display="←↑↓→"),
        Binding("right", "move(1, 0)", "pixel", show=False, id="picture.right"),
        Binding("up", "move(0, -1)", "pixel", show=False, id="picture.up"),
        Binding("down", "move(0, 1)", "pixel", show=False, id="picture.down"),
        Binding("n", "turn(1)", "next", tooltip="The next picture", id="picture.next"),
        Binding("p", "turn(-1)", "previous", tooltip="The picture before", id="picture.previous"),
        Binding("a", "augment", "augmented", tooltip="As the recipe's augmentation changes it", id="picture.augment"),
        Binding("escape,o,q", "close", "back", tooltip="Back to the wall", id="picture.close", key_display="esc"),
    ]

    def __init__(self, facts: DatasetFacts, split: Split, order: list[int], place: int) -> None:
        super().__init__()
        self._facts, self._split, self._order, self._place = facts, split, order, place
        self._picture: Picture | None = None
        self._column, self._row = facts.image_size[1] // 2, facts.image_size[0] // 2
        self.variants: list[NDArray[np.uint8]] | None = None
        """The augmented variants in view, `[H, W, 3]` each; None while the channels are."""
        self._child: ChildCommand | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="title", classes="heading")
        with Horizontal(id="views"):
            yield PixelView(widget_id="picture")
            with Container(id="planes"):
                for number in range(VARIANTS):
                    yield PixelView(classes="plane", widget_id=f"plane{number}")
        yield Static(id="values")

    def on_mount(self) -> None:
        self._open()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()

    def _open(self) -> None:
        try:
            (self._picture,) = read_pictures(self._facts.name, self._split, [self._order[self._place]])
        except CifartuiError as error:
            self.cifar_app.complain(str(error))
            return
        self.variants = None
        self._draw()

    def _draw(self) -> None:
        picture = self._picture
        if picture is None:
            return
        label = self._facts.classes[picture.label]
        what = "red, green, blue" if self.variants is None else f"recipe {self.cifar_app.recipe_name}"
        title = f"{label} #{picture.position} of the {self._split} images of {self._facts.name} · {what}"
        self.query_one("#title", Static).update(Content(printable(title)))
        self.query_one("#picture", PixelView).show(picture.pixels, (self._column, self._row))
        roomy = self.app.size.width >= ROOMY[0] and self.app.size.height >= ROOMY[1]
        self.set_class(roomy, "-roomy")
        factor, places = (1, VARIANTS) if roomy else (2, 4)
        shown = (planes(picture.pixels, coloured=shows_colours(self.app)) if self.variants is None else self.variants)[
            :places
        ]
        for number in range(VARIANTS):
            view = self.query_one(f"#plane{number}", PixelView)
            view.display = number < len(shown)
            if number < len(shown):
                small = shrunk(shown[number], factor)
                view.styles.width, view.styles.height = small.shape[1] + 1, small.shape[0] // 2
                view.show(small)
        self.query_one("#values", Static).update(self._values(picture))

    def _values(self, picture: Picture) -> Content:
        normalize = self.cifar_app.recipe.normalize
        pixel = picture.pixels[self._row, self._column].tolist()
        scaled = [value / 255 for value in pixel]
        normal = [(value - mean) / std for value, mean, std in zip(scaled, normalize.mean, normalize.std, strict=True)]
        rule = f"(value − {_triple(normalize.mean)}) / {_triple(normalize.std)}"
        rows = [
            (f"pixel ({self._column}, {self._row})", "".join(f"{name:>8}" for name in CHANNELS), "column, row"),
            ("bytes", "".join(f"{value:>8}" for value in pixel), "0 to 255, as stored"),
            ("ToTensor", "".join(f"{value:>8.3f}" for value in scaled), "byte / 255"),
            ("Normalize", "".join(f"{value:>+8.3f}" for value in normal), rule),
        ]
        return Content("\n").join(
            Content.assemble((f"{name:<15}", "bold"), numbers, (f"   {how}", "$text-muted"))
            for name, numbers, how in rows
        )

    def action_move(self, right: int, down: int) -> None:
        """Move to a neighbouring pixel."""
        height, width = self._facts.image_size
        self._column = min(max(self._column + right, 0), width - 1)
        self._row = min(max(self._row + down, 0), height - 1)
        self._draw()

    def action_turn(self, direction: int) -> None:
        """Open the next or the former picture."""
        place = self._place + direction
        if 0 <= place < len(self._order):
            self._place = place
            self._open()

    def action_augment(self) -> None:
        """Show variants in place of the channels, or the channels again."""
        if self.variants is not None:
            self.variants = None
            self._draw()
        elif self._picture and not self._child:
            recipe = self.cifar_app.recipe
            if recipe.augment == type(recipe.augment)():
                self.cifar_app.tell(
                    f"Recipe {self.cifar_app.recipe_name} changes no images; set augment.flip, crop_padding or cutout "
                    "on the training screen, or take the recipe augmented there."
                )
                return
            assignments = [f"--set={setting.key}={setting.value}" for setting in settings(recipe)]
            place = ("--split", self._split, "--picture", str(self._picture.position), "--count", str(VARIANTS))
            self._child = ChildCommand("dataset", "augment", "--json", *place, *assignments, "--", self._facts.name)
            self.query_one("#title", Static).update("changing the picture …")
            self._wait(self._child)

    @work(thread=True, group="augment", exit_on_error=False, description="augment a picture")
    def _wait(self, child: ChildCommand) -> None:
        for _ in child.progress():
            pass
        try:
            answer = msgspec.json.decode(child.result(), type=Previews)
        except CifartuiError as error:
            self.app.call_from_thread(self._augmented, None, str(error))
        else:
            self.app.call_from_thread(self._augmented, answer, "")

    def _augmented(self, answer: Previews | None, problem: str) -> None:
        self._child = None
        if answer:
            shape = (*answer.image_size, 3)
            self.variants = [np.frombuffer(picture, dtype=np.uint8).reshape(shape) for picture in answer.pictures]
        else:
            self.cifar_app.complain(problem)
        self._draw()

    def action_close(self) -> None:
        """Go back to the wall."""
        self.dismiss()


def planes(pixels: "NDArray[np.uint8]", *, coloured: bool = True) -> "list[NDArray[np.uint8]]":
    """The three channels of `[H, W, 3]`, each as a picture in its own colour, or in grey."""
    made = []
    for channel in range(3):
        plane = np.zeros_like(pixels)
        shown = slice(channel, channel + 1) if coloured else slice(None)
        plane[:, :, shown] = pixels[:, :, channel : channel + 1]
        made.append(plane)
    return made


def _triple(values: tuple[float, float, float]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else "(" + " ".join(f"{value:g}" for value in values) + ")"
