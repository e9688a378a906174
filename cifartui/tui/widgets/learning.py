"""What the network in training learned so far: its first filters, and what it says of a few pictures."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from cifartui.text import cells, column, printable
from cifartui.training.run.glimpse import Answer, Filters, Glimpse
from cifartui.training.run.states import LIVING
from cifartui.tui.theme import class_variable
from cifartui.tui.view import RunView
from cifartui.tui.widgets.bars import bar
from cifartui.tui.widgets.filter_grid import FilterGrid
from cifartui.tui.widgets.fitted_picture import FittedPicture
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.writing import write

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MARK_CELLS, PERCENT_CELLS, LEAST_BAR, LEAST_NAME = 2, 4, 4, 6
"""Cells of what stands in a line of an answer, besides the blank before its bar."""
NO_FILTERS = "This network has no convolution that could be shown."
NO_ANSWERS = "A network in code of your own is not asked while it trains."


class FiltersPanel(Panel):
    """The filters of the first convolution, as they are now."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__("filters", id=widget_id)
        self._view: RunView | None = None

    def compose(self) -> ComposeResult:
        yield FilterGrid()
        yield Static(NO_FILTERS, classes="dim")

    def show(self, view: RunView) -> None:
        """Draw those of a run of which there is a glimpse."""
        filters = view.glimpse.filters if view.glimpse else None
        self.query_one(FilterGrid).display = filters is not None
        self.query_one(Static).display = filters is None
        self._view = view
        self.entitle(filters_title(filters, view) if filters else "filters")
        if filters:
            self.query_one(FilterGrid).show(filters.kernels())
        self._say()

    @on(FilterGrid.Refitted)
    def _say(self) -> None:
        if self._view and self._view.glimpse:
            glimpse, drawn = self._view.glimpse, self.query_one(FilterGrid).drawn
            total = glimpse.filters.total if glimpse.filters else 0
            part = f"{drawn} of {total} · " if drawn < total else ""
            self.say(part + moment(glimpse))


class AnswersPanel(Panel):
    """A few pictures that the network does not train on, and what it says of them now."""

    DEFAULT_CSS = """
    AnswersPanel .answers { height: 1fr; }
    AnswerView { width: 1fr; height: 100%; margin-right: 2; }
    AnswerView:last-child { margin-right: 0; }
    AnswerView Static { height: auto; }
    """

    def __init__(self, *, widget_id: str) -> None:
        super().__init__("what it says of pictures", id=widget_id)

    def compose(self) -> ComposeResult:
        yield Horizontal(classes="answers")
        yield Static(NO_ANSWERS, classes="dim")

    def show(self, view: RunView) -> None:
        """Draw those of a run of which there is a glimpse."""
        answers = view.glimpse.answers if view.glimpse else ()
        row = self.query_one(".answers", Horizontal)
        row.display = bool(answers)
        self.query_one("AnswersPanel > Static").display = not answers
        views = list(self.query(AnswerView))
        for spare in views[len(answers) :]:
            spare.remove()
        row.mount(*(AnswerView(answer) for answer in answers[len(views) :]))
        for shown, answer in zip(views, answers, strict=False):
            shown.show(answer)
        if view.glimpse and answers:
            self.entitle(f"what it says of {_number(len(answers))} pictures")
            self.say(f"{view.glimpse.source} · {moment(view.glimpse)}")


class AnswerView(Vertical):
    """A picture, and below it the classes that are most probable."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def compose(self) -> ComposeResult:
        yield FittedPicture()
        yield Static()

    def on_mount(self) -> None:
        self.show(self._answer)

    def on_resize(self) -> None:
        self.show(self._answer)

    def show(self, answer: Answer) -> None:
        """Draw a picture and what is said of it."""
        self._answer = answer
        self.query_one(FittedPicture).show(answer.pixels())
        write(self.query_one(Static), self._text())

    def _text(self) -> Content:
        answer, width = self._answer, self.size.width
        longest = max(cells(printable(guess.name)) for guess in answer.guesses)
        room = width - MARK_CELLS - 1 - PERCENT_CELLS
        name_cells = min(longest, max(room - LEAST_BAR, LEAST_NAME))
        lines = [Content(column(printable(answer.name), width)).stylize("bold")]
        for rank, guess in enumerate(answer.guesses):
            mark, style = ("✓", "$success") if guess.place == answer.place else ("", "")
            if rank == 0 and not mark:
                mark, style = "✗", "$error"
            lines.append(
                Content.assemble(
                    (f"{mark:<{MARK_CELLS}}", style),
                    column(printable(guess.name), name_cells) + " ",
                    bar(
                        self.app,
                        guess.probability,
                        max(1, room - name_cells),
                        class_variable(guess.name, guess.place),
                    ),
                    f"{guess.probability:>{PERCENT_CELLS}.0%}",
                )
            )
        return Content("\n").join(lines)


class Learning(Horizontal):
    """Both panels side by side; not there where there is no glimpse of the run's network."""

    DEFAULT_CSS = """
    Learning { height: 1fr; }
    Learning FiltersPanel, Learning AnswersPanel { height: 100%; }
    Learning FiltersPanel { width: 2fr; }
    Learning AnswersPanel { width: 3fr; }
    """

    def compose(self) -> ComposeResult:
        yield FiltersPanel(widget_id="filters")
        yield AnswersPanel(widget_id="answers")

    def show(self, view: RunView) -> None:
        """Draw what the network of a run learned."""
        self.set_class(view.glimpse is None, "-unknown")
        if view.glimpse:
            self.query_one(FiltersPanel).show(view)
            self.query_one(AnswersPanel).show(view)


def filters_title(filters: Filters, view: RunView) -> str:
    """`conv1: its six filters, learning`."""
    fixed = view.recipe is not None and view.recipe.initialization == "whitened"
    how = "not trained" if fixed else "learning" if view.state in LIVING else "as learned"
    what = "one filter" if filters.total == 1 else f"{_number(filters.total)} filters"
    return f"{printable(filters.layer, 40)}: its {what}, {how}"


def moment(glimpse: Glimpse) -> str:
    """`step 15,200`, and whether the network is the average of its weights over the steps."""
    return f"step {glimpse.step:,}" + (" · average" if glimpse.is_average else "")


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"
