"""The kernel walk: how a convolution or max pool makes each value of its output, on a picture."""

from typing import ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import LoadingIndicator, Static

from cifartui.inspection.activation_file import with_inner
from cifartui.inspection.kernel_walk import conv_step, pool_step
from cifartui.model.layers import Conv2d, MaxPool2d
from cifartui.model.summary import Operation
from cifartui.text import shortened
from cifartui.tui.screens.activations import KEYS, ActivationScreen
from cifartui.tui.widgets.maps import Scale, extremes, filled_until, framed, grey, scale_of
from cifartui.tui.widgets.pixels import PixelView
from cifartui.tui.widgets.walk_texts import conv_text, numbers_high, pool_text

STEPS_A_SECOND = 20
ROOMY = 34
"""Lines from which on there is room to say what is what."""
RGB = ("red", "green", "blue")


def can_be_walked(operation: Operation) -> bool:
    """Whether a window slides over the operation's input in steps that can be shown."""
    return isinstance(operation.layer, Conv2d | MaxPool2d)


class KernelWalkScreen(ActivationScreen):
    """Step through the positions of a window; the output fills in."""

    LESSON = "screen.model.walk"
    CSS_PATH = "kernel_walk.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "play", tooltip="Let the window walk by itself, or stand still", id="walk.play"),
        Binding(
            "right", "step(1)", "step", tooltip="Move the window one position on", id="walk.right", key_display="←→"
        ),
        Binding("left", "step(-1)", "step", tooltip="Move the window one position back", show=False, id="walk.left"),
        Binding("pagedown", "row(1)", "row", tooltip="Move the window one row down", show=False, id="walk.row_down"),
        Binding("pageup", "row(-1)", "row", tooltip="Move the window one row up", show=False, id="walk.row_up"),
        Binding("home", "jump(False)", "first", tooltip="Go to the first position", show=False, id="walk.first"),
        Binding("end", "jump(True)", "last", tooltip="Go to the last position", show=False, id="walk.last"),
        Binding(
            "down", "filter(1)", "filter", tooltip="Use the next filter of the layer", id="walk.down", key_display="↑↓"
        ),
        Binding("up", "filter(-1)", "filter", tooltip="Use the filter before", show=False, id="walk.up"),
        Binding("c", "channel", "channel", tooltip="Show the numbers of the next input channel", id="walk.channel"),
        Binding("s", "layer", "layer", tooltip="Go to the next convolution or max pool", id="walk.layer"),
        *KEYS,
    ]

    position = 0
    """Of the output's values, row by row."""
    filter = 0
    """The filter of a convolution, the channel of a max pool."""

    def compose(self) -> ComposeResult:
        yield Static(id="title", classes="heading")
        yield LoadingIndicator()
        with Horizontal(id="pictures"):
            yield PixelView(widget_id="input")
            yield PixelView(widget_id="output")
        yield Static(id="numbers")

    def on_mount(self) -> None:
        self._channel = 0
        self._playing: Timer | None = None

    @property
    def _operation(self) -> Operation:
        assert self.file
        operations = with_inner(self.file.summary.operations)
        return next(operation for operation in operations if operation.layer.name == self.looked_at)

    def opened(self) -> None:
        """Read the layer's input and output for the picture, and its weights."""
        assert self.file
        layer, name = self._operation.layer, self.looked_at
        self._values = self.file.input_of(name, self.picture)
        self._outputs = self.file.output_of(name, self.picture)
        self._weight, self._bias = np.empty(0, np.float32), None
        if isinstance(layer, Conv2d):
            self._weight = self.file.weight(f"{name}.weight")
            self._bias = self.file.weight(f"{name}.bias") if layer.bias else None
        self.filter = min(self.filter, len(self._outputs) - 1)
        self.position = min(self.position, self._outputs[0].size - 1)
        self.draw()

    def draw(self) -> None:
        """The input with the window framed, the arithmetic, and the output as far as it is filled."""
        if not self.file:
            return
        layer = self._operation.layer
        _, height, width = self._outputs.shape
        row, column = divmod(self.position, width)
        high, wide = self._room(layer.kernel_size if isinstance(layer, Conv2d | MaxPool2d) else 1)
        columns = self.app.size.width
        if isinstance(layer, Conv2d):
            step = conv_step(layer, self._values, self._weight, self._bias, self.filter, row, column)
            self._channel %= len(step.channels)
            shown, rows, across = step.channels[self._channel], step.rows, step.columns
            names = tuple(self._channel_name(channel) for channel in step.channels)
            text = conv_text(
                step, self._channel, names, (row, column), columns, bias=self._bias is not None, titled=self._titled
            )
            unit = "filter"
        else:
            assert isinstance(layer, MaxPool2d)
            taken = pool_step(layer, self._values, self.filter, row, column)
            shown, rows, across = self.filter, taken.rows, taken.columns
            text = pool_text(taken, (row, column))
            unit = "channel"
        scale = self._scale(high, wide)
        self._draw_input(shown, rows, across, scale)
        low, most = extremes(self._outputs[self.filter])
        output = grey(self._outputs[self.filter], low, most)
        self._show_pixels("#output", filled_until(output, self.position, scale))
        self.query_one("#numbers", Static).update(text)
        where = (
            f"{layer.name} {layer.label} · {unit} {self.filter + 1}/{len(self._outputs)}"
            f" · step {self.position + 1}/{height * width}{scale.text} · "
        )
        title = shortened(f"{where}{self.facts_text(columns - 2 - len(where))}", columns - 2)
        self.query_one("#title", Static).update(Content(title))

    @property
    def _titled(self) -> bool:
        return self.app.size.height >= ROOMY

    def _room(self, kernel_size: int) -> tuple[int, int]:
        """Pixels high and wide for each of the two pictures."""
        taken = 2 + numbers_high(kernel_size, titled=self._titled)  # the title and the keys
        return max(16, 2 * (self.app.size.height - taken)), self.app.size.width // 2 - 3

    def _draw_input(self, channel: int, rows: tuple[int, ...], columns: tuple[int, ...], scale: Scale) -> None:
        assert self.file
        if self._is_first and self._values.shape[0] == len(RGB):
            pixels = self.file.picture(self.picture)
        else:
            low, most = extremes(self._values[channel])
            pixels = grey(self._values[channel], low, most)
        self._show_pixels("#input", framed(pixels, rows, columns, scale))

    def _scale(self, high: int, wide: int) -> Scale:
        """How large input and output are drawn: both alike, to be compared."""
        sizes = zip(self._values.shape[1:], self._outputs.shape[1:], strict=True)
        height, width = (max(pair) for pair in sizes)
        return scale_of(height, width, high, wide)

    def _show_pixels(self, selector: str, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> None:
        view = self.query_one(selector, PixelView)
        view.styles.width, view.styles.height = pixels.shape[1], pixels.shape[0] // 2
        view.show(pixels)

    @property
    def _is_first(self) -> bool:
        """Whether the layer looks at the picture itself."""
        assert self.file
        return self.file.summary.operations[0].layer.name == self.looked_at

    def _channel_name(self, channel: int) -> str:
        if self._is_first and self._values.shape[0] == len(RGB):
            return RGB[channel]
        return f"channel {channel + 1}"

    def action_step(self, steps: int) -> None:
        """Go to a neighbouring position."""
        last = self._outputs[0].size - 1
        self.position = min(max(self.position + steps, 0), last)
        if self.position == last and self._playing:
            self.action_play()
        self.draw()

    def action_row(self, direction: int) -> None:
        """Go a row of the output up or down."""
        self.action_step(direction * self._outputs.shape[2])

    def action_jump(self, last: bool) -> None:
        """Go to the first or the last position."""
        self.action_step((1 if last else -1) * self._outputs[0].size)

    def action_filter(self, direction: int) -> None:
        """Take the next or the former filter."""
        self.filter = (self.filter + direction) % len(self._outputs)
        self.draw()

    def action_channel(self) -> None:
        """Show the numbers of another channel of the input."""
        self._channel += 1
        self.draw()

    def action_layer(self) -> None:
        """Go to the next layer that can be walked, and round again."""
        assert self.file
        names = [one.layer.name for one in with_inner(self.file.summary.operations) if can_be_walked(one)]
        self.looked_at = names[(names.index(self.looked_at) + 1) % len(names)]
        self.position = self._channel = 0
        self.opened()
        self.refresh_bindings()

    def action_play(self) -> None:
        """Walk by itself, or stand still."""
        if self._playing:
            self._playing.stop()
            self._playing = None
        else:
            if self.position == self._outputs[0].size - 1:
                self.position = 0
            self._playing = self.set_interval(1 / STEPS_A_SECOND, lambda: self.action_step(1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be walked before there is something; a max pool has one channel at a time."""
        if action in ("play", "step", "row", "jump", "filter", "channel", "layer") and self.file is None:
            return False
        if action == "channel":
            return isinstance(self._operation.layer, Conv2d)
        return True
