"""The evaluation screen: checkpoints and their results, accuracy per class, and what is taken for what."""

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.worker import Worker, get_current_worker

from cifartui.evaluation.results import Evaluation
from cifartui.evaluation.store import JudgedCheckpoint, judged_checkpoints
from cifartui.lessons.topic import Topic
from cifartui.training.run.folder import all_runs
from cifartui.tui.screens.evaluating import EvaluatingScreen
from cifartui.tui.view import RunView, short_id
from cifartui.tui.widgets.checkpoint_list import CheckpointList, kept_text, legend, line_id
from cifartui.tui.widgets.class_bars import ClassBars
from cifartui.tui.widgets.confusion_map import ConfusionMap
from cifartui.tui.widgets.evaluation_texts import checkpoint_text, mistaken_text, overall_topic
from cifartui.tui.widgets.panel import Choose, Panel
from cifartui.tui.widgets.result_panels import MOST_MISTAKES, ResultPanels

REFRESH_SECONDS = 1.0
"""Between two looks at the checkpoints of a run that goes on."""
LISTING = "list"
"""The group of the workers that read them."""


class EvaluationScreen(EvaluatingScreen):
    """Evaluate checkpoints, and compare what came of it."""

    NOUN = "evaluation"
    CSS_PATH = "evaluation.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "c",
            "confusion",
            "confusion",
            tooltip="Show which class is taken for which, or the classes again",
            id="evaluation.confusion",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: Evaluation | None = None
        """The result in view."""
        self._checkpoints: dict[str, JudgedCheckpoint] = {}
        """Those in the list, by the ids of its lines."""
        self._unkept: dict[str, Evaluation] = {}
        """Results of this session that could not be kept, by the ids of the list's lines."""
        self._listed: RunView | None = None
        """What was known of the run in view when the checkpoints were listed."""

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Choose():
                with Panel("checkpoints", id="checkpoints-panel"):
                    yield CheckpointList(id="checkpoints")
                    yield Static(id="legend")
                with Panel("most confused", id="mistaken-panel"):
                    yield Static(id="most-mistaken")
            yield ResultPanels(widget_id="result")

    def on_mount(self) -> None:
        self.list_checkpoints()
        self.set_interval(REFRESH_SECONDS, self._follow_run)

    def on_screen_resume(self) -> None:
        self.list_checkpoints()

    # THE LIST

    def _follow_run(self) -> None:
        is_listing = any(worker.group == LISTING and worker.is_running for worker in self.workers)
        if self.is_current and self.cifar_app.run_view is not self._listed and not is_listing:
            self.list_checkpoints()

    def list_checkpoints(self) -> None:
        """Read the runs' folders anew, and show what is there."""
        self._listed = self.cifar_app.run_view
        self._read_checkpoints()

    @work(thread=True, group=LISTING, exclusive=True, exit_on_error=False, description="list the checkpoints")
    def _read_checkpoints(self) -> None:
        worker, judged = get_current_worker(), list[JudgedCheckpoint]()
        for run in all_runs():
            if worker.is_cancelled:
                return
            judged += judged_checkpoints(run)
        self.app.call_from_thread(self._show_checkpoints, worker, judged)

    def _show_checkpoints(self, reader: Worker[None], judged: list[JudgedCheckpoint]) -> None:
        """Show what was read, unless it is being read anew; the cursor stays on its checkpoint."""
        if reader.is_cancelled:
            return
        self._checkpoints = {line_id(checkpoint): checkpoint for checkpoint in judged}
        self.query_one("#checkpoints-panel", Panel).say(kept_text(judged))
        self.query_one("#legend", Static).update(Content(legend(judged)))
        listed = self.query_one(CheckpointList)
        if not listed.show(judged):
            return
        if not judged:
            self._say("no checkpoints yet", "Train first: press 3. Or press i to evaluate a .pth file.")
        elif not self.query_one(ResultPanels).shows_matrix_only:
            listed.focus()

    @property
    def checkpoint(self) -> JudgedCheckpoint | None:
        """The one under the cursor."""
        option = self.query_one(CheckpointList).highlighted_option
        return self._checkpoints.get(option.id) if option and option.id else None

    @on(OptionList.OptionHighlighted, "#checkpoints")
    def _highlighted(self) -> None:
        checkpoint = self.checkpoint
        if checkpoint:
            self.evaluation = (
                checkpoint.result.evaluation if checkpoint.result else self._unkept.get(line_id(checkpoint))
            )
            self._show_result()

    # RESULTS

    def _say(self, title: str, text: str) -> None:
        self.evaluation = None
        self.query_one(ResultPanels).say(title, text)
        self._show_mistakes()

    def _show_result(self) -> None:
        """The result in view, or what the checkpoint under the cursor is."""
        evaluation, checkpoint = self.evaluation, self.checkpoint
        if evaluation:
            name = short_id(Path(evaluation.checkpoint).name)
            own = checkpoint if checkpoint and checkpoint.reference == evaluation.checkpoint else None
            self.query_one(ResultPanels).show(f"{name} · tested on {evaluation.dataset}", evaluation, own)
            self._show_mistakes()
        elif checkpoint:
            self._say(
                f"{short_id(checkpoint.reference)} · not evaluated yet",
                f"{checkpoint_text(checkpoint)}\n\nenter evaluates it on the test images, which training never sees.",
            )

    def _show_mistakes(self) -> None:
        """In words beside the list, once their panel is laid out."""
        self.query_one("#mistaken-panel").set_class(self.evaluation is None, "-empty")
        listed = self.query_one(CheckpointList)
        listed.topic = overall_topic(self.evaluation) if self.evaluation else Topic("evaluation.checkpoint")
        self.explain()
        self.call_after_refresh(self._show_what_follows)

    def _show_what_follows(self) -> None:
        """What stands beside the result, and the keys that make sense with it."""
        text = self.query_one("#most-mistaken", Static)
        if self.evaluation and text.is_on_screen:
            text.update(mistaken_text(self.evaluation, MOST_MISTAKES, text.content_size.width))
        self.set_class(self.query_one(ResultPanels).shows_matrix_only, "-matrix")
        self.refresh_bindings()

    def action_confusion(self) -> None:
        """Swap classes and confusion matrix where there is room for one; at the narrowest it takes the list's place."""
        panels = self.query_one(ResultPanels)
        panels.swap()
        self._show_what_follows()
        self.query_one(ConfusionMap if panels.shows_matrix_only else CheckpointList).focus()

    @on(CheckpointList.Turned)
    def _turn(self, message: CheckpointList.Turned) -> None:
        self.query_one(ClassBars).action_turn(message.pages)

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay_out_again)

    def _lay_out_again(self) -> None:
        self._show_result()
        if self.focused is None:
            self.query_one(CheckpointList).focus()

    # EVALUATING

    @on(OptionList.OptionSelected, "#checkpoints")
    def _evaluate_checkpoint(self) -> None:
        checkpoint = self.checkpoint
        if checkpoint and not checkpoint.is_there:
            self.cifar_app.complain(f"{short_id(checkpoint.reference)} cannot be evaluated again: its file is gone.")
        elif checkpoint:
            self.evaluate(line_id(checkpoint), "--", checkpoint.reference)

    def show_progress(self, activity: str, done: int = 0, total: int = 0, unit: str = "") -> None:
        """Say how far the evaluation is."""
        self.query_one(ResultPanels).show_progress(activity, done, total, unit)

    def take_result(self, evaluation: Evaluation, identity: str) -> None:
        """Show a result, or only tell it where another checkpoint is looked at meanwhile."""
        if identity:
            self._unkept[identity] = evaluation
            self.list_checkpoints()
        if identity and self.checkpoint and line_id(self.checkpoint) != identity:
            self.cifar_app.tell(f"{short_id(evaluation.checkpoint)}: {evaluation.accuracy:.1%} of the test images")
        else:
            self.evaluation = evaluation
            self._show_result()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action == "confusion":
            return self.evaluation is not None and not self.query_one(ResultPanels).shows_both
        return super().check_action(action, parameters)
