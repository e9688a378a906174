"""One picture opened: its three channels, and each pixel as the tutorial's transforms change it."""

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import msgspec
import numpy as np
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Static

from cifartui.children import Child
from cifartui.dataset.pictures import Picture, read_pictures
from cifartui.dataset.store import DatasetFacts, Split
from cifartui.errors import CifartuiError
from cifartui.text import printable, shortened
from cifartui.training.loading.augmented import AugmentedPictures
from cifartui.training.recipes.settings import settings
from cifartui.tui.screens.base import CifarScreen
from cifartui.tui.widgets.dataset_texts import SPLIT_WORDS
from cifartui.tui.widgets.pixels import PixelView, fitted, scaled, shows_all_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNELS = ("red", "green", "blue")
TINTS = ((1.0, 0.42, 0.38), (0.38, 0.95, 0.45), (0.45, 0.66, 1.0))
"""Of red, green and blue: nearly as light as each other, since pure blue is too dark to be looked at."""
VARIANTS = 6
OTHER_LINES = 8
"""Of the screen, which are not the picture's."""
LABEL_CELLS = 22
"""Of the class in the title."""
LARGEST_SIDE = 48
"""Pixels up to which small pictures are drawn larger than they are."""


class Layout(NamedTuple):
    """How the opened picture and the small ones beside it are drawn; sizes are heights and widths in pixels."""

    part: tuple[int, int]
    """How much of the picture is shown."""
    shown: tuple[int, int]
    """The size at which it is."""
    small: tuple[int, int]
    """The size of the small pictures."""
    columns: int
    places: int
    """How many small pictures there are at most."""


class PictureScreen(CifarScreen):
    """Look at one picture after the other, pixel by pixel."""

    LESSON = "screen.dataset.picture"
    CSS_PATH = "picture.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "move(-1, 0)",
            "pixel",
            tooltip="Look at the pixel to the left",
            id="picture.left",
            key_display="←↑↓→",
        ),
        Binding(
            "right", "move(1, 0)", "pixel", show=False, tooltip="Look at the pixel to the right", id="picture.right"
        ),
        Binding("up", "move(0, -1)", "pixel", show=False, tooltip="Look at the pixel above", id="picture.up"),
        Binding("down", "move(0, 1)", "pixel", show=False, tooltip="Look at the pixel below", id="picture.down"),
        Binding("n", "turn(1)", "next", tooltip="Open the next picture", id="picture.next"),
        Binding("N", "turn(-1)", "previous", tooltip="Open the picture before", id="picture.previous"),
        Binding("z", "zoom", "zoom", tooltip="The part around the pixel, pixel by pixel", id="picture.zoom"),
        Binding(
            "c",
            "augment",
            "augmented",
            tooltip="Show the picture as the recipe's augmentation changes it",
            id="picture.augment",
        ),
        Binding(
            "escape,o,q",
            "close",
            "back",
            tooltip="Go back to the wall of pictures",
            id="picture.close",
            key_display="esc",
        ),
    ]

    def __init__(self, facts: DatasetFacts, split: Split, order: list[int], place: int) -> None:
        super().__init__()
        self._facts, self._split, self._order, self._place = facts, split, order, place
        self._picture: Picture | None = None
        self._zoomed = False
        self._column, self._row = facts.image_size[1] // 2, facts.image_size[0] // 2
        self.variants: list[NDArray[np.uint8]] | None = None
        """The augmented variants in view, `[H, W, 3]` each; None while the channels are."""
        self._child: Child | None = None

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
        layout = self._layout()
        label = shortened(self._facts.classes[picture.label], LABEL_CELLS)
        what = "red, green, blue" if self.variants is None else f"recipe {self.cifar_app.recipe_name}"
        what = f"part of it · {what}" if layout.part != self._facts.image_size else what
        title = f"{label} #{picture.position} of the {SPLIT_WORDS[self._split]} images of {self._facts.name} · {what}"
        self.query_one("#title", Static).update(Content(shortened(printable(title), self.app.size.width - 2)))
        self._draw_picture(picture.pixels, layout)
        self._draw_planes(picture.pixels, layout)
        self.query_one("#values", Static).update(self._values(picture))
        self.refresh_bindings()

    def _draw_picture(self, pixels: "NDArray[np.uint8]", layout: Layout) -> None:
        top, left = self._corner(layout)
        height, width = layout.part
        part = pixels[top : top + height, left : left + width]
        row, column = ((self._row - top) * layout.shown[0] // height, (self._column - left) * layout.shown[1] // width)
        view = self.query_one("#picture", PixelView)
        view.styles.width, view.styles.height = layout.shown[1] + 3, -(-layout.shown[0] // 2) + 1
        view.show(scaled(part, layout.shown), (column, row))

    def _draw_planes(self, pixels: "NDArray[np.uint8]", layout: Layout) -> None:
        shown = planes(pixels, coloured=shows_all_colours(self.app)) if self.variants is None else self.variants
        shown = shown[: layout.places]
        box = self.query_one("#planes")
        height, width = -(-layout.small[0] // 2), layout.small[1]
        box.styles.grid_size_columns = layout.columns
        box.styles.grid_columns, box.styles.grid_rows = f"{width + 1}", f"{height + 1}"
        box.styles.height = -(-layout.places // layout.columns) * (height + 1) - 1
        for number in range(VARIANTS):
            view = self.query_one(f"#plane{number}", PixelView)
            view.display = number < len(shown)
            if number < len(shown):
                view.styles.width, view.styles.height = width + 1, height
                view.show(scaled(shown[number], layout.small))

    def _layout(self) -> Layout:
        """Where there is room the small pictures are as large as the opened one, else half as large."""
        room = max(2, 2 * (self.app.size.height - OTHER_LINES)), max(1, self.app.size.width // 2 - 4)
        roomy = room[0] // 2 - 2, self.app.size.width // 4 - 4
        size = self._facts.image_size
        if size[0] <= roomy[0] and size[1] <= roomy[1]:
            shown = fitted(size, (min(LARGEST_SIDE, roomy[0]), min(LARGEST_SIDE, roomy[1])))
            return Layout(size, shown, shown, 3, VARIANTS)
        shown = fitted(size, room)
        part = size
        if self._zoomed and self._shrinks(shown):
            part = shown = min(room[0], size[0]), min(room[1], size[1])
        whole = fitted(size, room)
        return Layout(part, shown, (max(1, whole[0] // 2), max(1, whole[1] // 2)), 2, 4)

    def _corner(self, layout: Layout) -> tuple[int, int]:
        """Row and column of the upper left pixel of the part that is shown."""
        (height, width), (rows, columns) = self._facts.image_size, layout.part
        return min(max(self._row - rows // 2, 0), height - rows), min(
            max(self._column - columns // 2, 0), width - columns
        )

    def _shrinks(self, shown: tuple[int, int]) -> bool:
        return shown[0] < self._facts.image_size[0]

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
        """Move to a neighbouring pixel of those that are shown."""
        (height, width), layout = self._facts.image_size, self._layout()
        step = -(-layout.part[0] // layout.shown[0])
        self._column = min(max(self._column + step * right, 0), width - 1)
        self._row = min(max(self._row + step * down, 0), height - 1)
        self._draw()

    def action_zoom(self) -> None:
        """Show a large picture's part around the pixel, or the whole picture again."""
        self._zoomed = not self._zoomed
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
                    f"Recipe {self.cifar_app.recipe_name} changes no images; set augment.flip (mirrored), "
                    "augment.crop_padding (shifted) or augment.cutout (a grey square laid over it) on the training "
                    "screen, or take the recipe augmented there."
                )
                return
            assignments = [f"--set={setting.key}={setting.value}" for setting in settings(recipe)]
            place = ("--split", self._split, "--picture", str(self._picture.position), "--count", str(VARIANTS))
            self._child = Child(
                "cifartui", "dataset", "augment", "--json", *place, *assignments, "--", self._facts.name
            )
            self.query_one("#title", Static).update("changing the picture …")
            self._wait(self._child)

    @work(thread=True, group="augment", exit_on_error=False, description="augment a picture")
    def _wait(self, child: Child) -> None:
        for _ in child.progress():
            pass
        try:
            answer = msgspec.json.decode(child.result(), type=AugmentedPictures)
        except CifartuiError as error:
            self.app.call_from_thread(self._augmented, None, str(error))
        else:
            self.app.call_from_thread(self._augmented, answer, "")

    def _augmented(self, answer: AugmentedPictures | None, problem: str) -> None:
        self._child = None
        if answer:
            shape = (*answer.image_size, 3)
            self.variants = [np.frombuffer(picture, dtype=np.uint8).reshape(shape) for picture in answer.pictures]
        else:
            self.cifar_app.complain(problem)
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        return self._zoomed or self._shrinks(self._layout().shown) if action == "zoom" else True

    def action_close(self) -> None:
        """Go back to the wall."""
        self.dismiss()


def planes(pixels: "NDArray[np.uint8]", *, coloured: bool = True) -> "list[NDArray[np.uint8]]":
    """The three channels of `[H, W, 3]`, each as a picture from black to a light tint of its own colour, or in grey."""
    tints = TINTS if coloured else ((1.0, 1.0, 1.0),) * 3
    return [
        (pixels[:, :, channel : channel + 1] * np.array(tint)).round().astype(np.uint8)
        for channel, tint in enumerate(tints)
    ]


def _triple(values: tuple[float, float, float]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else "(" + " ".join(f"{value:g}" for value in values) + ")"
