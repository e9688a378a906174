"""What there is to import, shown before it comes in: classes, sizes, what is left out, and how pictures would look."""

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Label, Static

from cifartui.children import Child
from cifartui.dataset.store import check_name, is_prepared
from cifartui.dataset.surveying import Preview, Survey
from cifartui.errors import CifartuiError, UsageError
from cifartui.text import column, printable, shortened
from cifartui.tui.widgets.dialogs.base import Dialog, keys_line
from cifartui.tui.widgets.picker import Picker
from cifartui.tui.widgets.picture_wall import PictureWall, Tile
from cifartui.tui.widgets.pixels import part_text

PREVIEWS = 12
CHANGE_SECONDS = 0.4
"""After the last change of size or fit, until the previews are asked for anew."""
CAPTION_CELLS = 16
MOST_NAME_CELLS = 32
OTHER = "other"
FITS = (("crop", "crop the middle"), ("pad", "fit with edges"), ("stretch", "stretch"))


@dataclass(frozen=True)
class Import:
    """What is to be imported, and how."""

    path: str
    name: str
    size: str = ""
    """As `--size` takes it; empty for pictures that come in as they are."""
    fit: str = "crop"

    def options(self) -> tuple[str, ...]:
        """The options of `dataset survey` and `dataset import` for size and fit."""
        return ("--size", self.size, "--fit", self.fit) if self.size else ()

    def command(self) -> tuple[str, ...]:
        """The command that imports it."""
        return ("dataset", "import", "--json", "--name", self.name, *self.options(), "--", self.path)


class SurveyDialog(Dialog[Import]):
    """Show what was found and ask for name, size and fit; closes with what is to be imported."""

    AUTO_FOCUS = ""  # it would go to the name, whatever else is asked
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "import", "import", id="survey.import"),
        Binding("up", "app.focus_previous", "field before", id="survey.before"),
        Binding("down", "app.focus_next", "next field", id="survey.next"),
        Binding("escape", "cancel", "back", id="survey.cancel"),
    ]

    def __init__(self, path: str, survey: Survey) -> None:
        super().__init__()
        self._path, self._survey = path, survey
        self._sizes = size_choices(survey)
        self._child: Child | None = None
        self._changing: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog survey"):
            with Horizontal(id="headings"):
                yield Label(Content.styled(printable(self._heading()), "bold"))
                yield Static(id="preview-title", classes="state")
            with Horizontal(id="found"):
                yield Static(id="summary")
                yield PictureWall(widget_id="previews", caption_cells=CAPTION_CELLS, must_caption=False)
            with Horizontal(classes="field"):
                yield Label("name ")
                yield Input(suggested_name(self._path), compact=True, id="name", select_on_focus=False)
            if self._sizes:
                yield Picker("size ", self._sizes, widget_id="size")
                with Horizontal(classes="field", id="other-size"):
                    yield Label("other")
                    yield Input(compact=True, id="other", placeholder="48, or height x width: 48x64")
                yield Picker("fit  ", FITS, widget_id="fit")
            yield Static(classes="problem")
            choosing = (("↑↓", "field"), ("←→", "another size or fit")) if self._sizes else ()
            yield keys_line(("enter", "imports"), *choosing, ("esc", "back"))

    def on_mount(self) -> None:
        self.query_one(".problem").display = False
        self.query_one("#size" if self._sizes else "#name").focus()
        if self._sizes:
            self.query_one("#other-size").display = False
        if not self._survey.previews:
            self._look_again()

    def on_descendant_focus(self) -> None:
        for field in self.query(".field"):
            field.set_class(self.focused in field.children, "-focused")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        if self._child:
            self._child.cancel()
            self._child = None

    def _heading(self) -> str:
        classes = f"{len(self._survey.classes):,} classes"
        return f"{Path(self._path).name}: {self._survey.images:,} pictures in {classes}"

    def _draw(self) -> None:
        summary = self.query_one("#summary", Static)
        summary.update(summary_text(self._survey, summary.size.width, summary.size.height))
        self._draw_previews()

    @on(PictureWall.Resized)
    def _draw_previews(self) -> None:
        wall, previews = self.query_one("#previews", PictureWall), self._survey.previews
        if not previews:
            wall.show_tiles([])
            return
        import numpy as np  # for which the first frame need not wait

        size = (previews[0].height, previews[0].width)
        wall.set_picture_size(size)
        tiles = [
            Tile(
                np.frombuffer(one.pixels, dtype=np.uint8).reshape(one.height, one.width, 3),
                printable(self._survey.classes[one.label].name),
            )
            for one in one_of_each_class(previews)[: wall.capacity]
        ]
        wall.show_tiles(tiles)
        if not self._child:
            self._tell(f"as they come in: {by(size[1], size[0])}{part_text(size, wall.drawn_size)}")

    def _tell(self, text: str) -> None:
        self.query_one("#preview-title", Static).update(Content(text))

    def _complain(self, sentence: str) -> None:
        problem = self.query_one(".problem", Static)
        problem.update(Content(printable(sentence)))
        problem.display = bool(sentence)

    def _answer(self) -> Import:
        """What is asked for at the moment.

        Raises:
            UsageError: the size cannot be meant.
        """
        name = self.query_one("#name", Input).value.strip()
        if not self._sizes:
            return Import(self._path, name)
        size = self.query_one("#size", Picker).value
        if size == OTHER:
            typed = self.query_one("#other", Input).value.strip().replace("×", "x").replace(" ", "")
            if not re.fullmatch(r"[1-9]\d{0,3}(x[1-9]\d{0,3})?", typed):
                raise UsageError("Give the other size as one number, or as height x width: 48, or 48x64.")
            size = typed
        return Import(self._path, name, size, self.query_one("#fit", Picker).value)

    @on(Picker.Changed)
    def _changed(self, event: Picker.Changed) -> None:
        other = self.query_one("#size", Picker).value == OTHER
        self.query_one("#other-size").display = other
        self._look_later()
        if other and event.picker.id == "size":
            self._tell("type the other size: ↓")

    @on(Input.Changed, "#other")
    def _look_later(self) -> None:
        self._complain("")
        if self._changing:
            self._changing.stop()
        self._changing = self.set_timer(CHANGE_SECONDS, self._look_again)

    def _look_again(self) -> None:
        """Ask for previews of the size and fit chosen."""
        try:
            asked = self._answer()
        except UsageError:
            return  # it is being typed; enter complains
        if self._child:
            self._child.cancel()
        self._tell("reading pictures …")
        arguments = ("--json", "--previews", str(PREVIEWS), *asked.options(), "--", self._path)
        self._child = Child("cifartui", "dataset", "survey", *arguments)
        self._watch(self._child)

    @work(thread=True, group="survey", exit_on_error=False, description="read previews")
    def _watch(self, child: Child) -> None:
        for _ in child.progress():
            pass
        try:
            survey = msgspec.json.decode(child.result(), type=Survey)
        except CifartuiError as error:
            self.app.call_from_thread(self._ended, child, None, str(error))
        else:
            self.app.call_from_thread(self._ended, child, survey, "")

    def _ended(self, child: Child, survey: Survey | None, problem: str) -> None:
        if child is not self._child:
            return
        self._child = None
        if survey:
            self._survey = survey
            self._draw()
        else:
            self._tell("")
            self._complain(problem)

    @on(Input.Submitted)
    def action_import(self) -> None:
        """Close with what is to be imported, if it can be."""
        try:
            answer = self._answer()
            if is_prepared(check_name(answer.name)):
                raise UsageError(f"There is a data set named {answer.name} here already; choose another name.")
        except UsageError as error:
            self._complain(str(error))
        else:
            self.dismiss(answer)

    def action_cancel(self) -> None:
        """Back to the path."""
        self.dismiss(None)


def one_of_each_class(previews: Sequence[Preview]) -> list[Preview]:
    """The previews in turn: the first of each class, then the second of each."""
    seen: Counter[int] = Counter()
    ranked = []
    for preview in previews:
        ranked.append((seen[preview.label], preview))
        seen[preview.label] += 1
    return [preview for _, preview in sorted(ranked, key=lambda one: one[0])]


def size_choices(survey: Survey) -> list[tuple[str, str]]:
    """The sizes to choose from, for `--size`; none where nothing has to be asked."""
    found = {(size.height, size.width) for size in survey.sizes}
    if survey.official or found == {(32, 32)}:
        return []
    whole = [] if len(found) > 1 else [("", f"as they are, {by(survey.sizes[0].width, survey.sizes[0].height)}")]
    return [*whole, ("32", by(32, 32)), ("64", by(64, 64)), (OTHER, "other …")]


def suggested_name(path: str) -> str:
    """The last part of the path, as far as it can name a data set."""
    stem = Path(path).name.split(".")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64]


def by(width: int, height: int) -> str:
    """`300×200`."""
    return f"{width}×{height}"


def summary_text(survey: Survey, width: int, lines: int) -> Content:
    """Sizes, what is left out and why, and as many classes with their counts as fit so many cells and lines."""
    above = _sources_lines(survey, width, max(2, lines // 2))
    held_out = any(one.validation for one in survey.classes)
    numbers = 23 if held_out else 14
    name_cells = max(8, min(MOST_NAME_CELLS, width - numbers))
    head = f"{'':<{name_cells}}{'train':>7}{'held-out' if held_out else '':>{9 * held_out}}{'test':>7}"
    room = lines - len(above) - 1
    shown = survey.classes if len(survey.classes) <= room else survey.classes[: max(1, room - 1)]
    rows = [
        f"{column(printable(one.name), name_cells - 1)} {one.train:>7,}"
        + (f"{one.validation:>9,}" if held_out else "")
        + f"{one.test:>7,}"
        for one in shown
    ]
    more = len(survey.classes) - len(shown)
    rows += [f"… and {more:,} more"] if more else []
    return Content("\n").join(
        [
            *(Content.styled(shortened(line, width), "$text-muted") for line in above),
            Content.styled(shortened(head, width), "bold"),
            *(Content(shortened(row, width)) for row in rows),
        ]
    )


def _sources_lines(survey: Survey, width: int, lines: int) -> list[str]:
    """What sizes the pictures have, and what is left out; what does not fit so many lines is counted."""
    sizes = ", ".join(f"{by(size.width, size.height)} ({size.images:,})" for size in survey.sizes)
    texts = [f"sizes (width × height): {sizes}"] if survey.sizes else []
    texts += [f"left out: {one.text}" for one in survey.left_out]
    shown: list[str] = []
    for place, text in enumerate(texts):
        wrapped = textwrap.wrap(printable(text), max(10, width), subsequent_indent="  ")
        rest = len(texts) - place
        if len(shown) + len(wrapped) + (rest > 1) > lines:
            return [*shown, f"… and {rest} more kind{'s' * (rest > 1)} of files left out"]
        shown += wrapped
    return shown
