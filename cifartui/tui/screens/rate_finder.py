"""The learning-rate finder: the loss while the rate goes up, drawn as it comes, and what rate it suggests."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cifartui.text import bar, printable
from cifartui.training.rate_rules import RATES, RatesFound, RateTried, Suggestion
from cifartui.tui.in_hand import InHand
from cifartui.tui.screens.lab import LabScreen
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.plot import Plot
from cifartui.tui.widgets.rate_chart import CHOSEN_MARK, OTHER_MARK, rate_figure

BAR_CELLS = 20
MEANING = (
    "A copy of the network trains while the learning rate goes up from step to step; nothing of it is kept. Where the "
    "rate is too small the loss stands still, where it is too large the loss runs away: between them it falls. A "
    "schedule's highest rate is meant."
)


class RateFinderScreen(LabScreen[float]):
    """Watch the curve come, and choose one of the suggestions; closes with its rate."""

    LESSON = "chart.rate_finder"
    CSS_PATH = "rate_finder.tcss"
    RESULTS = RateTried | RatesFound
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "use",
            "use it",
            tooltip="Put the marked learning rate into the settings for training",
            id="rate.use",
        ),
        Binding(
            "left,right,tab",
            "other",
            "the other",
            tooltip="Mark the other suggestion",
            id="rate.other",
            key_display="←→",
        ),
        Binding("g", "again", "again", tooltip="Go up with the learning rate once more", id="rate.again"),
        Binding(
            "escape,q",
            "close",
            "back",
            tooltip="Go back; the finder ends if it is at work, and nothing is changed",
            id="rate.close",
            key_display="esc",
        ),
    ]

    def __init__(self, asked: InHand, dataset: str) -> None:
        """Find a rate for the run that is in hand, on a data set."""
        super().__init__()
        self._asked, self._dataset = asked, dataset
        self._tried: list[RateTried] = []
        self._found: RatesFound | None = None
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Panel("", id="finder"):
            yield Plot(widget_id="rates")
            yield Static(id="suggestions")
            yield Static(MEANING, id="meaning")

    def action_again(self) -> None:
        """Go up from the lowest rate."""
        self._tried, self._found, self._chosen = [], None, 0
        asked = self._asked
        self._start(
            *("lr-find", "--json", f"--recipe={asked.name}", f"--dataset={self._dataset}"),
            *(f"--seed={asked.seed}", f"--device={asked.device}"),
            *(f"--set={assignment}" for assignment in asked.assignments),
        )

    def _came(self, result: RateTried | RatesFound) -> None:
        if isinstance(result, RatesFound):
            self._found = result
        else:
            self._tried.append(result)
        self._draw()

    @property
    def _suggestion(self) -> Suggestion | None:
        """The one that is marked."""
        return self._found.suggestions[self._chosen] if self._found and self._found.suggestions else None

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        title = f"{self._asked.recipe.network} on {self._dataset} · loss over the learning rate"
        self.query_one("#finder", Panel).entitle(title)
        suggestions = self._found.suggestions if self._found else ()
        self.query_one(Plot).show(rate_figure(self._tried, suggestions, self._suggestion))
        self.query_one("#suggestions", Static).update(self._suggestions_text())
        self.refresh_bindings()

    def _suggestions_text(self) -> Content:
        if self._found is None:
            return self._progress_text() if self._child else Content()
        if self._found.problem:
            return Content.styled(printable(self._found.problem), "$warning")
        lines = []
        for suggestion in self._found.suggestions:
            is_chosen = suggestion == self._suggestion
            text = f"{CHOSEN_MARK if is_chosen else OTHER_MARK} {suggestion.rule:<9} {suggestion.rate:<8g}"
            lines.append(Content.assemble((text, "bold $warning" if is_chosen else ""), f" {suggestion.why}"))
        now = self._asked.recipe.optimizer.learning_rate
        lines.append(Content.styled(f"  {'now':<9} {now:g}", "$text-muted"))
        return Content("\n").join(lines)

    def _progress_text(self) -> Content:
        if not self._tried:
            return Content.styled("loading torch and the images …", "$text-muted")
        filled = bar(len(self._tried) / RATES, BAR_CELLS).replace(" ", "░")
        return Content.assemble((filled, "$primary"), f" {len(self._tried)} of {RATES} learning rates")

    def action_use(self) -> None:
        """Close with the marked rate."""
        if self._suggestion:
            self.dismiss(self._suggestion.rate)

    def action_other(self) -> None:
        """Mark the other suggestion."""
        if self._found and self._found.suggestions:
            self._chosen = (self._chosen + 1) % len(self._found.suggestions)
            self._draw()

    def action_close(self) -> None:
        """Go back and change nothing."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action == "use":
            return self._suggestion is not None
        if action == "other":
            return self._found is not None and len(self._found.suggestions) > 1
        return self._child is None if action == "again" else True
