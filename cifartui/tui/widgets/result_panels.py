"""A result in panels: accuracy per class and the confusion matrix, both where there is room, else one of them."""

import textwrap

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cifartui.evaluation.results import Evaluation
from cifartui.evaluation.store import JudgedCheckpoint
from cifartui.text import printable
from cifartui.tui.explaining import keys_in_hand
from cifartui.tui.widgets.bars import bar
from cifartui.tui.widgets.checkpoint_list import gone_text
from cifartui.tui.widgets.class_bars import ClassBars
from cifartui.tui.widgets.confusion_map import ConfusionMap, matrix_layout
from cifartui.tui.widgets.evaluation_texts import checkpoint_text, mistaken_text, overall
from cifartui.tui.widgets.panel import Look, Panel

PROGRESS_CELLS = 24
MOST_MISTAKES = 5
"""Pairs of classes that are named where the list beside the result has no room for them."""


class ResultPanels(Look):
    """What came of a checkpoint, or a text in its place."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._evaluation: Evaluation | None = None
        self._wants_matrix = False
        self._summary_lines = 0

    def compose(self) -> ComposeResult:
        yield Static(id="progress")
        with Panel("", id="classes-panel"):
            yield Static(id="summary")
            yield ClassBars(widget_id="classes")
            yield Static(id="mistaken")
        with Panel("rows: true · columns: predicted", id="confusion-panel"):
            yield ConfusionMap(widget_id="confusion")

    def on_mount(self) -> None:
        self.query_one("#progress").display = False

    def on_resize(self) -> None:
        self._share_out()

    # WHAT IS SHOWN

    def show(self, title: str, evaluation: Evaluation, checkpoint: JudgedCheckpoint | None) -> None:
        """Show a result, and what the checkpoint is that it is of."""
        self._evaluation = evaluation
        lines, fact = [overall(evaluation)], checkpoint_text(checkpoint) if checkpoint else ""
        width = self.query_one("#summary").content_size.width or 40
        if fact and self.screen.has_class("-narrow"):  # no lower edge
            lines += wrapped(fact, width, "$text-muted")
        if checkpoint and not checkpoint.is_there:
            lines += wrapped(f"✗ {gone_text(checkpoint)}", width, "$warning")
        self._summary_lines = len(lines) + evaluation.averaged
        self._show(title, Content("\n").join(lines), fact)

    def say(self, title: str, text: str) -> None:
        """Show a text where there is no result."""
        self._evaluation = None
        self._show(title, Content(text))

    def _show(self, title: str, summary: Content, fact: str = "") -> None:
        panel = self.query_one("#classes-panel", Panel)
        panel.entitle(title)
        panel.say(fact)
        self.query_one("#summary", Static).update(summary)
        self.query_one(ClassBars).show(self._evaluation)
        self.query_one(ConfusionMap).show(self._evaluation)
        self._share_out()

    @on(ConfusionMap.Pointed)
    def _say_cell(self, message: ConfusionMap.Pointed) -> None:
        self.query_one("#confusion-panel", Panel).say(message.words)

    def show_progress(self, activity: str, done: int = 0, total: int = 0, unit: str = "") -> None:
        """Say how far an evaluation is; nothing where there is none."""
        line = self.query_one("#progress", Static)
        line.display = bool(activity)
        text = Content.styled(f"▸ {activity} ", "$success")
        if total:
            text += Content.assemble(bar(self.app, done / total, PROGRESS_CELLS), f" {done:,} of {total:,} {unit}")
        line.update(text)
        self.call_after_refresh(self._share_out)

    # WHERE IT STANDS

    def swap(self) -> None:
        """Show the other one, where there is room for one."""
        self._wants_matrix = not self._wants_matrix
        self._share_out()

    @property
    def shows_both(self) -> bool:
        """Whether there is room for the classes and the matrix."""
        return self._evaluation is not None and not self.screen.has_class("-narrow") and self._spare_lines >= 0

    @property
    def shows_matrix_only(self) -> bool:
        """Whether the matrix is there in place of the classes."""
        return self._evaluation is not None and self._wants_matrix and not self.shows_both

    @property
    def _spare_lines(self) -> int:
        """What is left once all classes and all of the matrix are in view."""
        if self._evaluation is None:
            return 0
        classes = len(self._evaluation.per_class)
        panels = 2 * self.query_one(Panel).gutter.height
        heading = matrix_layout(self._evaluation, 0, self.query_one(Panel).content_size.width).heading_lines
        return self.size.height - panels - self._summary_lines - (1 + classes) - (heading + classes)

    def _share_out(self) -> None:
        """Give classes and matrix their lines: all they need, then space between the bars, then the matrix the rest."""
        both, bars, evaluation = self.shows_both, self.query_one(ClassBars), self._evaluation
        classes = len(evaluation.per_class) if evaluation else 0
        self.query_one("#classes-panel").display = not self.shows_matrix_only
        self.query_one("#confusion-panel").display = both or self.shows_matrix_only
        bars.display = evaluation is not None
        self.query_one(ConfusionMap).tells_words = self.screen.has_class("-narrow")
        spaced = classes - 1 if self._spare_lines >= classes - 1 else 0
        bars.styles.height = 1 + classes + spaced if both else "1fr"
        self.query_one("#classes-panel").styles.height = "auto" if both else "1fr"
        mistaken = self.query_one("#mistaken", Static)
        free = self.size.height - 4 - classes - MOST_MISTAKES - 2
        mistaken.display = evaluation is not None and self.screen.has_class("-narrow") and free >= 0
        key = keys_in_hand(self.screen).get("key.evaluation.confusion", "")
        back = f" · {key} goes back to the classes" if self.shows_matrix_only and key else ""
        self.query_one("#confusion-panel", Panel).entitle(f"rows: true · columns: predicted{back}")
        if evaluation and mistaken.display:
            more = f" · {key} shows all" if key else ""
            bars.styles.height = 1 + classes
            told = mistaken_text(evaluation, MOST_MISTAKES, self.size.width - 2)
            mistaken.update(Content.assemble((f"\nmost confused{more}\n", "bold $accent"), told))


def wrapped(text: str, width: int, style: str = "") -> list[Content]:
    """A sentence in lines of at most `width` cells."""
    return [Content.styled(line, style) for line in textwrap.wrap(printable(text), max(8, width))]
