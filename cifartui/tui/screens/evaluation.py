"""The evaluation screen: checkpoints, accuracy per class, and what is taken for what."""

from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import LoadingIndicator, OptionList, Static
from textual.widgets.option_list import Option

from cifartui.errors import CifartuiError
from cifartui.evaluation.results import Evaluation, most_confused
from cifartui.text import printable
from cifartui.training.checkpoints import best_checkpoint, list_checkpoints
from cifartui.training.run import all_runs
from cifartui.tui.children import ChildCommand
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.view import short_id
from cifartui.tui.widgets.dialogs import TextDialog

BAR_CELLS = 20
NARROW_BAR_CELLS = 14


class CheckpointList(OptionList):
    """The checkpoints of all runs; says on the line of keys what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "evaluate", tooltip="Evaluate the checkpoint", id="evaluation.evaluate")
    ]


class EvaluationScreen(NounScreen):
    """Evaluate a checkpoint and see the result."""

    NOUN = "evaluation"
    CSS_PATH = "evaluation.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "file", "file", tooltip="Evaluate a .pth or .safetensors file", id="evaluation.file"),
        Binding("c", "confusion", "confusion", tooltip="Confusion matrix, or classes", id="evaluation.confusion"),
        Binding("x", "export", "export", tooltip="Write the checkpoint as a .pth file", id="evaluation.export"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: Evaluation | None = None
        """The result in view."""
        self._confusion = False
        self._child: ChildCommand | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                yield Static("checkpoints · ★ best", classes="heading")
                yield CheckpointList(id="checkpoints")
            with Vertical(id="right"):
                yield Static(id="title", classes="heading")
                yield LoadingIndicator()
                with VerticalScroll(can_focus=False):
                    yield Static(id="result")

    def on_mount(self) -> None:
        self.query_one(LoadingIndicator).display = False
        self._list_checkpoints()

    def on_screen_resume(self) -> None:
        self._list_checkpoints()

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()

    def _list_checkpoints(self) -> None:
        listed = self.query_one("#checkpoints", OptionList)
        highlighted = listed.highlighted_option
        options = []
        for run in all_runs():
            checkpoints = list_checkpoints(run)
            if not checkpoints:
                continue
            options.append(Option(Content.styled(printable(short_id(run.id)), "bold"), disabled=True))
            best = best_checkpoint(checkpoints)
            for facts in reversed(checkpoints):
                marks = " last" * (facts == checkpoints[-1]) + " ★" * (facts == best)
                options.append(Option(Content(f"  step {facts.step:,}{marks}"), id=f"{run.id}@{facts.step}"))
        listed.set_options(options)
        if not options:
            self._say("no checkpoints yet", "Train first: press 3. Or press f to evaluate a .pth file.")
            return
        if not self.evaluation:
            self._say("no result yet", "enter evaluates the checkpoint under the cursor on the test images.")
        ids = [option.id for option in options]
        before = highlighted.id if highlighted and highlighted.id in ids else None
        listed.highlighted = ids.index(before) if before else 1
        listed.focus()

    def _say(self, title: str, text: str) -> None:
        self.query_one("#title", Static).update(Content(title))
        self.query_one("#result", Static).update(Content(text))

    @on(OptionList.OptionSelected, "#checkpoints")
    def _evaluate_checkpoint(self, event: OptionList.OptionSelected) -> None:
        if event.option_id:
            self._evaluate("evaluate", event.option_id, "--json")

    def action_file(self) -> None:
        """Ask for a file of weights and evaluate it on the data set in use."""
        self.app.push_screen(
            TextDialog("Evaluate a .pth or .safetensors file of the tutorial's network:", path=True), self._file
        )

    def _file(self, path: str | None) -> None:
        if path:
            dataset = self.cifar_app.dataset_name or "sketches"
            self._evaluate("evaluate", "--json", "--dataset", dataset, "--", path)

    def _evaluate(self, *arguments: str) -> None:
        if self._child:
            self.cifar_app.complain("An evaluation is under way; wait for its result.")
            return
        self._child = ChildCommand(*arguments)
        self.query_one(LoadingIndicator).display = True
        self._say("evaluating", "")
        self._watch(self._child)

    @work(thread=True, group="evaluate", exit_on_error=False, description="evaluate")
    def _watch(self, child: ChildCommand) -> None:
        for step in child.progress():
            counted = f": {step.done:,} of {step.total:,} {step.unit}" if step.total else ""
            self.app.call_from_thread(self.query_one("#title", Static).update, Content(f"{step.activity}{counted}"))
        try:
            evaluation = msgspec.json.decode(child.result(), type=Evaluation)
        except CifartuiError as error:
            self.app.call_from_thread(self._finished, None, str(error))
        else:
            self.app.call_from_thread(self._finished, evaluation, "")

    def _finished(self, evaluation: Evaluation | None, problem: str) -> None:
        self._child = None
        self.query_one(LoadingIndicator).display = False
        if evaluation:
            self.evaluation = evaluation
            self._show_result()
        else:
            self._say("not evaluated", problem)
            self.cifar_app.complain(problem)

    def _show_result(self) -> None:
        evaluation = self.evaluation
        if evaluation:
            title = f"{short_id(evaluation.checkpoint)} · test images of {evaluation.dataset}"
            self.query_one("#title", Static).update(Content(printable(title)))
            bar_cells = NARROW_BAR_CELLS if self.has_class("-narrow") else BAR_CELLS
            texts = [classes_text(evaluation, bar_cells), confusion_text(evaluation)]
            if not (self.has_class("-wide") and self.has_class("-tall")):
                texts = texts[1:] if self._confusion else texts[:1]
            self.query_one("#result", Static).update(Content("\n\n").join([overall(evaluation), *texts]))

    def action_confusion(self) -> None:
        """Swap classes and confusion matrix."""
        self._confusion = not self._confusion
        self.set_class(self._confusion, "-confusion")
        self._show_result()
        if not self._confusion:
            self.query_one("#checkpoints").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_result)

    def action_export(self) -> None:
        """Ask where to write the checkpoint under the cursor."""
        option = self.query_one("#checkpoints", OptionList).highlighted_option
        if option and option.id:
            subject = option.id

            def write(path: str | None) -> None:
                if path:
                    self._export(subject, path)

            self.app.push_screen(TextDialog(f"Write the weights of {subject} to:", "cifar_net.pth", path=True), write)

    @work(thread=True, group="export", exit_on_error=False, description="export weights")
    def _export(self, subject: str, path: str) -> None:
        child = ChildCommand("export", "pth", subject, "--output", path)
        for _ in child.progress():
            pass
        try:
            sentence = child.result().decode(errors="replace")
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
        else:
            self.app.call_from_thread(self.cifar_app.tell, sentence)


def overall(evaluation: Evaluation) -> Content:
    """Accuracy, counts and interval in a line."""
    low, high = evaluation.interval95
    return Content.assemble(
        (f"{evaluation.accuracy:.1%}", "bold $primary"),
        f"   {evaluation.correct:,} of {evaluation.images:,}   (95 %: {low:.1%} – {high:.1%})",
    )


def classes_text(evaluation: Evaluation, bar_cells: int = BAR_CELLS) -> Content:
    """Accuracy per class as bars, with the class most often mistaken for it."""
    lines = [
        Content.styled(f"{'class':<11} {'accuracy':<{bar_cells + 7}}   often taken for", "$text-muted"),
    ]
    for index, result in enumerate(evaluation.per_class):
        cells = round(bar_cells * result.accuracy)
        confused = most_confused(evaluation, index)
        lines.append(
            Content.assemble(
                f"{printable(result.name):<11.11} ",
                ("█" * cells + "░" * (bar_cells - cells), "$primary"),
                f" {result.accuracy:>6.1%}",
                (f"   {printable(confused[0]):<10.10} {confused[1]:>4.0%}" if confused else "", "$text-muted"),
            )
        )
    return Content("\n").join(lines)


def confusion_text(evaluation: Evaluation) -> Content:
    """The confusion matrix: rows true, columns predicted, the diagonal in bold."""
    names = [printable(result.name) for result in evaluation.per_class]
    lines = [Content.styled("rows: true · columns: predicted", "$text-muted")]
    lines.append(Content(" " * 10 + "".join(f"{name[:4]:>5}" for name in names)))
    for index, (name, row) in enumerate(zip(names, evaluation.confusion, strict=True)):
        most = max(1, max(row))
        styles = ["bold $primary" if index == column else _shade(count / most) for column, count in enumerate(row)]
        cells = [(f"{count:>5}", style) for count, style in zip(row, styles, strict=True)]
        lines.append(Content.assemble(f"{name:<10.10}", *cells))
    return Content("\n").join(lines)


def _shade(share: float) -> str:
    if share > 0.25:
        return "$warning"
    return "$foreground" if share > 0.05 else "$text-muted"
