"""Feature maps: what a layer makes of a picture, and the filters of those that look at the picture itself."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import LoadingIndicator, Static

from cifartui.inspection.activation_file import with_inner
from cifartui.model.layers import Conv2d
from cifartui.model.shapes import format_shape
from cifartui.model.summary import Operation
from cifartui.text import shortened
from cifartui.tui.screens.activations import KEYS, ActivationScreen
from cifartui.tui.widgets.maps import Scale, enlarged, extremes, filter_picture, grey, scale_of
from cifartui.tui.widgets.picture_wall import PictureWall, Tile
from cifartui.tui.widgets.pixels import shrunk
from cifartui.tui.widgets.vector_texts import bars

LARGEST_FACTOR = 8
TITLE_LINES = 2
WRAP_CELLS = 12
"""Of a line of the title, that may stay free where it is wrapped."""


class FeatureMapsScreen(ActivationScreen):
    """A wall of a layer's feature maps; bars where its output has no height and width."""

    LESSON = "screen.model.maps"
    CSS_PATH = "feature_maps.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "layer(1)", "layer", tooltip="Go to the next layer", id="maps.down", key_display="↑↓"),
        Binding("up", "layer(-1)", "layer", tooltip="Go to the layer before", show=False, id="maps.up"),
        Binding(
            "right", "page(1)", "page", tooltip="Show the next of the layer's maps", id="maps.right", key_display="←→"
        ),
        Binding("left", "page(-1)", "page", tooltip="Show the maps before these", show=False, id="maps.left"),
        Binding(
            "c",
            "filters",
            "filters",
            tooltip="Show the layer's filters, that is its weights, or its maps again",
            id="maps.filters",
        ),
        *KEYS,
    ]

    showing_filters = False
    """Whether the weights are in view in place of the maps."""
    first = 0
    """The first map in view."""
    _page = ""
    """Which of the maps are in view, where not all are, and their scale, where they are shrunk."""
    _is_paged = False

    def compose(self) -> ComposeResult:
        yield Static(id="title", classes="heading")
        yield LoadingIndicator()
        yield PictureWall(widget_id="maps")
        with VerticalScroll(id="vector", can_focus=False):
            yield Static(id="bars")

    @property
    def _operations(self) -> list[Operation]:
        return list(with_inner(self.file.summary.operations)) if self.file else []

    @property
    def _operation(self) -> Operation:
        return next(operation for operation in self._operations if operation.layer.name == self.looked_at)

    def opened(self) -> None:
        """Another layer, picture or file."""
        self.first = 0
        self.showing_filters = self.showing_filters and self._has_filters
        self.draw()

    def draw(self) -> None:
        """The wall or the bars."""
        if not self.file:
            return
        operation = self._operation
        values = self.file.output_of(self.looked_at, self.picture)
        wall, vector = self.query_one(PictureWall), self.query_one("#vector")
        self._page, self._is_paged = "", False
        wall.display = self.showing_filters or values.ndim == 3
        vector.display = not wall.display
        what, scale = f"gives {format_shape(operation.arithmetic.output)}", ""
        if self.showing_filters:
            weight = self.file.weight(f"{self.looked_at}.weight")
            what = f"{len(weight)} filters of {weight.shape[2]}×{weight.shape[3]}, grey is 0"
            self._draw_wall([filter_picture(one) for one in weight], [f"{n + 1}" for n in range(len(weight))])
        elif values.ndim == 3:
            low, most = extremes(values)
            scale = f" · black {low:.2f}, white {most:.2f}"
            captions = [f"{n + 1}{'' if one.any() else ' all 0'}" for n, one in enumerate(values)]
            self._draw_wall([grey(one, low, most) for one in values], captions)
        else:
            is_last = self.looked_at == self.file.summary.operations[-1].layer.name
            classes = self.file.facts.classes
            names = (
                classes if is_last and len(classes) == len(values) else tuple(str(n + 1) for n in range(len(values)))
            )
            self.query_one("#vector").scroll_home(animate=False)
            made = bars(values, names, self.app.size.width, are_scores=is_last and not self.file.summary.problem)
            self.query_one("#bars", Static).update(made)
        where = f"{self.looked_at} {operation.layer.label} · {what}{self._page}{scale} · "
        room = TITLE_LINES * (self.app.size.width - WRAP_CELLS)
        facts = self.weights_text if self.showing_filters else self.facts_text(room - len(where))
        self.query_one("#title", Static).update(Content(shortened(f"{where}{facts}", room)))
        self.refresh_bindings()

    def _draw_wall(
        self, pictures: "list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]", captions: list[str]
    ) -> None:
        wall = self.query_one(PictureWall)
        height, width = pictures[0].shape[:2]
        room = max(1, wall.size.width), max(2, 2 * (wall.size.height - 1))  # a line is for the caption
        part = scale_of(height, width, room[1], room[0]).part
        if part > 1:
            pictures = [shrunk(picture, part) for picture in pictures]
        factor = next(
            (factor for factor in range(LARGEST_FACTOR, 1, -1) if self._capacity(pictures[0], factor) >= len(pictures)),
            1,
        )
        capacity = self._capacity(pictures[0], factor)
        self.first = max(0, min(self.first, (len(pictures) - 1) // capacity * capacity))
        last = min(self.first + capacity, len(pictures))
        self._is_paged = capacity < len(pictures)
        shown_part = f", {self.first + 1}–{last} shown" if self._is_paged else ""
        self._page = f"{shown_part}{Scale(part=part).text}"
        shown = slice(self.first, self.first + capacity)
        tiles = [
            Tile(enlarged(picture, factor), caption)
            for picture, caption in zip(pictures[shown], captions[shown], strict=True)
        ]
        wall.show_tiles(tiles)

    def _capacity(self, picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", factor: int) -> int:
        """How many maps fit when each is enlarged by `factor`."""
        wall = self.query_one(PictureWall)
        height = -(-picture.shape[0] * factor // 2) * 2
        wall.set_picture_size((height, picture.shape[1] * factor))
        return wall.capacity

    @on(PictureWall.Resized)
    def _resized(self) -> None:
        self.draw()

    @property
    def _has_filters(self) -> bool:
        layer = self._operation.layer
        return isinstance(layer, Conv2d) and layer.in_channels // layer.groups == 3

    def action_layer(self, direction: int) -> None:
        """Look at the next or the former layer."""
        names = [operation.layer.name for operation in self._operations]
        place = names.index(self.looked_at) + direction
        if 0 <= place < len(names):
            self.looked_at = names[place]
            self.opened()
            self.refresh_bindings()

    def action_page(self, direction: int) -> None:
        """Look at further maps of the layer."""
        wall, vector = self.query_one(PictureWall), self.query_one("#vector")
        if wall.display:
            self.first = max(0, self.first + direction * wall.capacity)
            self.draw()
        else:
            vector.scroll_relative(y=direction * vector.size.height, animate=False)

    def action_filters(self) -> None:
        """Show the layer's filters, or its maps again."""
        self.showing_filters = not self.showing_filters
        self.first = 0
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if self.file is None:
            return action not in ("layer", "page", "filters")
        if action == "page":
            return self._is_paged or self.query_one("#vector").display
        if action == "filters":
            return self._has_filters
        return True
