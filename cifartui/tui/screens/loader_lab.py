"""The loader lab: bars of images per second for each way of loading, as this machine gives them."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import LoadingIndicator, Static

from cifartui.text import bar, printable
from cifartui.training.loading.loader_results import Measured, Verdict, way_of_loading
from cifartui.training.recipes.settings import override
from cifartui.tui.screens.lab import LabScreen
from cifartui.tui.widgets.panel import Panel

NAME_CELLS = 22
LEAST_BAR_CELLS = 20
FRAME_CELLS = 6
"""Border, padding and scroll bar."""
WAYS = (
    "Before each step of training a batch of pictures has to be there. resident: all pictures lie in memory as one "
    "tensor, and a batch is picked by number. DataLoader: PyTorch's own way, which takes picture by picture; its "
    "workers are processes that prepare batches ahead. Both give the same batches; the longest bar is the fastest."
)


class LoaderLabScreen(LabScreen[None]):
    """Measure, watch the bars come, and take the winner for the next run."""

    LESSON = "screen.dataset.loader_lab"
    CSS_PATH = "loader_lab.tcss"
    RESULTS = Measured | Verdict
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "y",
            "use",
            "use this",
            tooltip="Put the fastest way of loading into the settings for training",
            id="lab.use",
        ),
        Binding("g", "again", "again", tooltip="Measure once more", id="lab.again"),
        Binding(
            "escape,l,q",
            "close",
            "back",
            tooltip="Go back; a measurement under way ends",
            id="lab.close",
            key_display="esc",
        ),
    ]

    def __init__(self, dataset: str) -> None:
        super().__init__()
        self._dataset = dataset
        self._measured: list[Measured] = []
        self._verdict: Verdict | None = None

    def compose(self) -> ComposeResult:
        with Panel("", id="lab"):
            yield LoadingIndicator()
            with VerticalScroll():
                yield Static(id="verdict")
                yield Static(id="bars")
                yield Static(WAYS, id="ways")

    def on_resize(self) -> None:
        self._draw()

    def action_again(self) -> None:
        """Measure."""
        self._measured, self._verdict = [], None
        batch_size = self.cifar_app.recipe.batch_size
        self._start("bench", "loader", "--dataset", self._dataset, f"--batch-size={batch_size}", "--json")

    def _came(self, result: Measured | Verdict) -> None:
        if isinstance(result, Verdict):
            self._verdict = result
        else:
            self._measured.append(result)
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(LoadingIndicator).display = self._child is not None
        state = "measuring images per second …" if self._child else "images per second"
        self.query_one("#lab", Panel).entitle(f"loading {self._dataset} · {state}")
        self.query_one("#bars", Static).update(bars_text(self._measured, self.app.size.width - FRAME_CELLS))
        verdict = self._verdict.sentence if self._verdict else ""
        self.query_one("#verdict", Static).update(Content.styled(printable(verdict), "bold $primary"))
        self.refresh_bindings()

    def action_use(self) -> None:
        """Take the winner for the next run."""
        if self._verdict:
            settings = [f"loader.kind={self._verdict.kind}"]
            if self._verdict.kind == "dataloader":
                settings.append(f"loader.num_workers={self._verdict.num_workers}")
            self.cifar_app.recipe = override(self.cifar_app.recipe, settings)
            self.cifar_app.tell(f"The next run has {', '.join(settings)}; press 3 to see it.")

    def action_close(self) -> None:
        """Go back; a measurement under way ends."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action == "use":
            return self._verdict is not None
        return self._child is None if action == "again" else True


def bars_text(measured: list[Measured], columns: int) -> Content:
    """A line for each measurement, its bar as long as its share of the best."""
    most = max((result.images_per_second for result in measured), default=0.0)
    cells = max(LEAST_BAR_CELLS, columns - NAME_CELLS - 28)
    lines: list[Content] = []
    batch_size = None
    for result in measured:
        if result.batch_size != batch_size:
            batch_size = result.batch_size
            lines.append(Content.styled(f"batch size {batch_size}", "bold"))
        name = f"  {way_of_loading(result):<{NAME_CELLS}}"
        if result.note:
            lines.append(Content.assemble(name, (f"not measured: {printable(result.note)}", "$warning")))
            continue
        filled = bar(result.images_per_second / most if most else 0, cells)
        lines.append(Content.assemble(name, f"{result.images_per_second:>11,.0f} ", (filled, "$accent on $track")))
    return Content("\n").join(lines)
