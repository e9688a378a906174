"""The evaluation screen: checkpoints and their results, accuracy per class, and what is taken for what."""

import tempfile
from pathlib import Path
from typing import ClassVar

import msgspec
import tomli_w
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, get_current_worker

from cifartui.children import Child
from cifartui.errors import CifartuiError, explain
from cifartui.evaluation.results import Evaluation
from cifartui.evaluation.store import JudgedCheckpoint, judged_checkpoints
from cifartui.failures import failure
from cifartui.model.network import Network, load_network
from cifartui.text import printable, shortened
from cifartui.training.run.folder import all_runs
from cifartui.tui.screens.keeping import KeepingScreen
from cifartui.tui.view import RunView, short_id
from cifartui.tui.widgets.checkpoint_list import CheckpointList, gone_text, legend, line_id, list_lines
from cifartui.tui.widgets.dialogs import TextDialog
from cifartui.tui.widgets.evaluation_texts import (
    Window,
    checkpoint_text,
    classes_text,
    confusion_text,
    matrix_layout,
    matrix_lines,
    more_text,
    overall,
    window,
    wrapped,
)
from cifartui.tui.widgets.paths import WEIGHTS

REFRESH_SECONDS = 1.0
"""Between two looks at the checkpoints of a run that goes on."""
LISTING = "list"
"""The group of the workers that read them."""


class EvaluationScreen(KeepingScreen):
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
        Binding("i", "file", "file", tooltip="Evaluate a .pth or .safetensors file of weights", id="evaluation.file"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: Evaluation | None = None
        """The result in view."""
        self._checkpoints: dict[str, JudgedCheckpoint] = {}
        """Those in the list, by the ids of its lines."""
        self._lines: list[tuple[str | None, str]] = []
        self._unkept: dict[str, Evaluation] = {}
        """Results of this session that could not be kept, by the ids of the list's lines."""
        self._listed: RunView | None = None
        """What was known of the run in view when the checkpoints were listed."""
        self._confusion = False
        self._rows = self._columns = Window(0, 0)
        self._child: Child | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                yield Static("checkpoints", classes="heading")
                yield CheckpointList(id="checkpoints")
                yield Static(id="legend")
            with Vertical(id="right"):
                yield Static(id="title", classes="heading")
                yield Static(id="progress")
                yield Static(id="result")

    def on_mount(self) -> None:
        self.query_one("#progress").display = False
        self.list_checkpoints()
        self.set_interval(REFRESH_SECONDS, self._follow_run)

    def on_screen_resume(self) -> None:
        self.list_checkpoints()

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()
        if self._folder:
            self._folder.cleanup()

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
        lines = list_lines(judged)
        if lines == self._lines and self._lines:
            return
        self._lines = lines
        listed = self.query_one(CheckpointList)
        highlighted = listed.highlighted_option
        listed.set_options(
            Option(Content(text) if identity else Content.styled(text, "bold"), id=identity, disabled=identity is None)
            for identity, text in lines
        )
        self.query_one("#legend", Static).update(Content(legend(judged)))
        if not lines:
            self._say("no checkpoints yet", "Train first: press 3. Or press i to evaluate a .pth file.")
            return
        identities = [identity for identity, _ in lines]
        before = highlighted.id if highlighted else None
        listed.highlighted = identities.index(before) if before and before in identities else 1
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
        self._title(title)
        self.query_one("#result", Static).update(Content(text))
        self._refresh_keys()

    def _refresh_keys(self) -> None:
        """Keys that make no sense with what is in view are hidden."""
        checkpoints = self.query_one(CheckpointList)
        checkpoints.has_more_rows = self._rows.shown < self._class_count
        has_matrix = self._confusion or self._shows_both
        checkpoints.has_more_columns = has_matrix and self._columns.shown < self._class_count
        self.refresh_bindings()

    def _title(self, text: str) -> None:
        title = self.query_one("#title", Static)
        title.update(Content(shortened(printable(text), title.content_size.width)))

    def _show_result(self) -> None:
        """The result in view, or what the checkpoint under the cursor is."""
        evaluation, checkpoint = self.evaluation, self.checkpoint
        if evaluation:
            name = short_id(Path(evaluation.checkpoint).name)
            self._title(f"{name} · tested on {evaluation.dataset}")
            self.query_one("#result", Static).update(self._result_text(evaluation))
            self._refresh_keys()
        elif checkpoint:
            self._say(
                f"{short_id(checkpoint.reference)} · not evaluated yet",
                f"{checkpoint_text(checkpoint)}\n\nenter evaluates it on the test images, which training never sees.",
            )

    def _result_text(self, evaluation: Evaluation) -> Content:
        """What fits: the accuracy, and of classes and matrix one or, where there is room, both."""
        width, height = self.query_one("#result").content_size
        checkpoint, classes = self.checkpoint, len(evaluation.per_class)
        above = [overall(evaluation)]
        if checkpoint and checkpoint.reference == evaluation.checkpoint:
            above += wrapped(checkpoint_text(checkpoint), width, "$text-muted")
            if not checkpoint.is_there:
                above += wrapped(f"✗ {gone_text(checkpoint)}", width, "$warning")
        layout = matrix_layout(evaluation, self._columns.first, width)
        with_classes, with_matrix = self._shows_both or not self._confusion, self._shows_both or self._confusion
        headings = with_classes * 2 + with_matrix * (1 + matrix_lines(layout))
        taken = len(above) + 1 + headings + 2  # accuracy has two lines; which part is shown; what to do next
        tables = with_classes + with_matrix
        self._rows = window(self._rows.first, (height - taken) // tables, classes)
        self._columns = layout.columns
        texts = []
        if with_classes:
            texts += [Content(), classes_text(evaluation, self._rows, width)]
        if with_matrix:
            texts += [Content(), confusion_text(evaluation, self._rows, layout)]
        more = more_text(self._rows, self._columns if with_matrix else None, classes)
        return Content("\n").join([*above, *texts, *([more] if more.plain else []), self._next_text(evaluation, width)])

    def _next_text(self, evaluation: Evaluation, width: int) -> Content:
        steps = [] if self._shows_both else ["c classes" if self._confusion else "c what is taken for what"]
        if self.checkpoint and self.checkpoint.is_there:
            steps.append("x export")
        return Content.styled(shortened(f"next: {' · '.join(steps)}", width), "$text-muted") if steps else Content()

    @property
    def _shows_both(self) -> bool:
        return not self.has_class("-narrow") and self.has_class("-tall")

    def action_confusion(self) -> None:
        """Swap classes and confusion matrix."""
        self._confusion = not self._confusion
        self._show_result()

    @on(CheckpointList.Turned)
    def _turn(self, message: CheckpointList.Turned) -> None:
        rows, columns = self._rows.shown, self._columns.shown
        self._rows = window(self._rows.first + message.rows * rows, rows, self._class_count)
        self._columns = window(self._columns.first + message.columns * columns, columns, self._class_count)
        self._show_result()

    @property
    def _class_count(self) -> int:
        return len(self.evaluation.per_class) if self.evaluation else 0

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_result)

    # EVALUATING

    @on(OptionList.OptionSelected, "#checkpoints")
    def _evaluate_checkpoint(self) -> None:
        checkpoint = self.checkpoint
        if checkpoint and not checkpoint.is_there:
            self.cifar_app.complain(f"{short_id(checkpoint.reference)} cannot be evaluated again: its file is gone.")
        elif checkpoint:
            self._evaluate(line_id(checkpoint), "--", checkpoint.reference)

    def action_file(self) -> None:
        """Ask for a file of weights and evaluate it on the data set in use, as weights of the network in hand."""
        dataset = self.cifar_app.dataset_name
        if not dataset:
            self.cifar_app.complain("There is no data set to evaluate on; press 1 and fetch or import one.")
            return
        try:
            network = self.cifar_app.network or load_network(self.cifar_app.recipe.network)
        except (CifartuiError, OSError) as error:
            self.cifar_app.complain(str(failure(error)))
            return

        def evaluate(path: str | None) -> None:
            if path:
                try:
                    recipe = self._recipe_file(network)
                except OSError as error:
                    self.cifar_app.complain(str(explain(error)))
                else:
                    self._evaluate("", "--dataset", dataset, "--recipe", recipe, "--", path)

        title = (
            f"Evaluate a .pth or .safetensors file as weights of network {network.name} (2 changes it) on {dataset}:"
        )
        self.app.push_screen(TextDialog(title, path=WEIGHTS), evaluate)

    def _recipe_file(self, network: Network) -> str:
        """Write the recipe in hand with the network in hand, for the child process to read."""
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="cifartui-")
        network_file, recipe_file = (Path(self._folder.name) / f"{name}.toml" for name in ("network", "recipe"))
        network_file.write_text(tomli_w.dumps(msgspec.to_builtins(network)))
        recipe = msgspec.structs.replace(self.cifar_app.recipe, network=network.factory or str(network_file))
        recipe_file.write_text(tomli_w.dumps(msgspec.to_builtins(recipe)))
        return str(recipe_file)

    def _evaluate(self, identity: str, *arguments: str) -> None:
        """Start evaluating; `identity` is that of the list's line, empty for a file."""
        if self._child:
            self.cifar_app.complain("An evaluation is under way; wait for its result.")
            return
        self._child = Child("cifartui", "evaluate", "--json", *arguments)
        self._show_progress("evaluating")
        self._watch(self._child, identity)

    def _show_progress(self, text: str) -> None:
        line = self.query_one("#progress", Static)
        line.display = bool(text)
        line.update(Content.styled(f"▸ {text}", "$success"))
        self.call_after_refresh(self._show_result)

    @work(thread=True, group="evaluate", exit_on_error=False, description="evaluate")
    def _watch(self, child: Child, identity: str) -> None:
        for step in child.progress():
            counted = f": {step.done:,} of {step.total:,} {step.unit}" if step.total else ""
            self.app.call_from_thread(self.query_one("#progress", Static).update, Content(f"{step.activity}{counted}"))
        try:
            evaluation = msgspec.json.decode(child.result(), type=Evaluation)
        except CifartuiError as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._finished, evaluation, identity)

    def _failed(self, problem: str) -> None:
        self._child = None
        self._show_progress("")
        self.cifar_app.complain(problem)

    def _finished(self, evaluation: Evaluation, identity: str) -> None:
        self._child = None
        self._show_progress("")
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
            return self.evaluation is not None and not self._shows_both
        return super().check_action(action, parameters)
