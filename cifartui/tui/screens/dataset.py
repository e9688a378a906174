"""The dataset screen: what pictures there are, how many of each class, and what they look like."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cifartui.dataset.pictures import Picture, picture_order, read_pictures
from cifartui.dataset.store import SKETCHES, DatasetFacts, Split, is_prepared, load_facts, prepared_names
from cifartui.errors import CifartuiError, DataError
from cifartui.progress import Progress
from cifartui.text import printable
from cifartui.tui.children import ChildCommand
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.widgets.dialogs import ImportDialog
from cifartui.tui.widgets.picture_wall import PictureWall

BAR_CELLS = 16
DRAWING = "sketches-being-drawn"


@dataclass
class OrderFound(Message):
    """Which pictures the wall goes through."""

    name: str
    split: Split
    order: list[int]


@dataclass
class PageRead(Message):
    """The pictures of one page."""

    pictures: list[Picture]


class DatasetList(OptionList):
    """The data sets on this machine; says on the line of keys what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "choose", tooltip="Train on this data set", id="dataset.choose")
    ]


class DatasetScreen(NounScreen):
    """Choose a data set and look at it."""

    NOUN = "dataset"
    CSS_PATH = "dataset.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import", "import", tooltip="Import a folder or archive by its path", id="dataset.import"),
        Binding(
            "left",
            "page(-1)",
            "page",
            tooltip="The pictures before",
            id="dataset.back",
            key_display="←→",
            priority=True,
        ),
        Binding(
            "right", "page(1)", "page", tooltip="The next pictures", id="dataset.forward", show=False, priority=True
        ),
        Binding(
            "c", "next_class", "class", tooltip="Only the next class, after the last all again", id="dataset.class"
        ),
        Binding("s", "other_split", "split", tooltip="Training or test images", id="dataset.split"),
        Binding("w", "wall", "wall", tooltip="Give the pictures the whole screen, and back", id="dataset.wall"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._facts: DatasetFacts | None = None
        self._split: Split = "train"
        self._label: int | None = None
        self._order: list[int] = []
        self._first = 0
        self._drawing: ChildCommand | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="upper"):
            yield DatasetList(id="datasets")
            with Vertical(id="facts-pane"):
                yield Static(id="facts")
        with Vertical(id="pictures"):
            yield Static(id="wall-title", classes="heading")
            yield PictureWall(widget_id="wall")

    def on_mount(self) -> None:
        if not is_prepared(SKETCHES):
            self._drawing = ChildCommand("dataset", "show", SKETCHES, "--json")
            self._draw_sketches(self._drawing)
        self._list_datasets()

    def on_unmount(self) -> None:
        if self._drawing:
            self._drawing.cancel()

    def on_screen_resume(self) -> None:
        self._list_datasets()

    def _list_datasets(self) -> None:
        datasets = self.query_one("#datasets", OptionList)
        highlighted = datasets.highlighted
        names = prepared_names()
        chosen = self.cifar_app.dataset_name
        options = [Option(_dataset_line(name, name == chosen), id=name) for name in names]
        if self._drawing:
            options.append(Option("… sketches are being drawn", id=DRAWING, disabled=True))
        datasets.set_options(options)
        if names:
            datasets.highlighted = min(
                highlighted if highlighted is not None else names.index(chosen or names[0]), len(names) - 1
            )
            datasets.focus()

    @on(OptionList.OptionHighlighted, "#datasets")
    def _look_at(self, event: OptionList.OptionHighlighted) -> None:
        if not event.option_id or (self._facts and self._facts.name == event.option_id):
            return
        try:
            self._facts = load_facts(event.option_id)
        except DataError as error:
            self.cifar_app.complain(str(error))
            return
        self.query_one("#facts", Static).update(facts_text(self._facts))
        self.query_one(PictureWall).set_picture_size(self._facts.image_size)
        self._label = None
        self._find_order()

    @on(OptionList.OptionSelected, "#datasets")
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.cifar_app.dataset_name = event.option_id
        self.cifar_app.tell(f"Training will use {event.option_id}; press 3 to go there.")
        self._list_datasets()

    def _find_order(self) -> None:
        if self._facts:
            self._order_worker(self._facts.name, self._split, self._label)

    @work(thread=True, group="order", exclusive=True, exit_on_error=False, description="find the pictures of a class")
    def _order_worker(self, name: str, split: Split, label: int | None) -> None:
        try:
            self.post_message(OrderFound(name, split, picture_order(name, split, label)))
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))

    def on_order_found(self, message: OrderFound) -> None:
        self._order, self._first = message.order, 0
        self._read_page()

    @on(PictureWall.Resized)
    def _read_page(self) -> None:
        if self._facts and self._order:
            capacity = self.query_one(PictureWall).capacity
            self._page_worker(self._facts.name, self._split, self._order[self._first : self._first + capacity])
            self._show_title(capacity)

    @work(thread=True, group="page", exclusive=True, exit_on_error=False, description="read pictures")
    def _page_worker(self, name: str, split: Split, positions: list[int]) -> None:
        try:
            self.post_message(PageRead(read_pictures(name, split, positions)))
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))

    def on_page_read(self, message: PageRead) -> None:
        if self._facts:
            self.query_one(PictureWall).show_pictures(message.pictures, self._facts.classes)

    def _show_title(self, capacity: int) -> None:
        assert self._facts
        what = "all classes" if self._label is None else self._facts.classes[self._label]
        page, pages = self._first // capacity + 1, -(-len(self._order) // capacity)
        split = "training" if self._split == "train" else "test"
        title = f"{self._facts.name} · {split} images · {what} · page {page:,} of {pages:,}"
        self.query_one("#wall-title", Static).update(Content(title))

    def action_page(self, direction: int) -> None:
        """Turn the page."""
        first = self._first + direction * self.query_one(PictureWall).capacity
        if 0 <= first < len(self._order):
            self._first = first
            self._read_page()

    def action_next_class(self) -> None:
        """Show one class after the other, then all."""
        if self._facts:
            following = 0 if self._label is None else self._label + 1
            self._label = following if following < len(self._facts.classes) else None
            self._find_order()

    def action_other_split(self) -> None:
        """Swap training and test images."""
        self._split = "test" if self._split == "train" else "train"
        self._find_order()

    def action_wall(self) -> None:
        """Hide or show what is above the pictures."""
        upper = self.query_one("#upper")
        upper.display = not upper.display
        if upper.display:
            self.query_one("#datasets").focus()

    def action_import(self) -> None:
        """Ask for a path and import it."""
        self.app.push_screen(ImportDialog(), self._imported)

    def _imported(self, name: str | None) -> None:
        if name:
            self.cifar_app.dataset_name = name
            self.cifar_app.tell(f"{name} is imported, and chosen for training.")
            self._list_datasets()
            self.query_one("#datasets", OptionList).highlighted = prepared_names().index(name)

    @work(thread=True, group="sketches", exit_on_error=False, description="draw the sketches")
    def _draw_sketches(self, child: ChildCommand) -> None:
        for step in child.progress():
            self.app.call_from_thread(self._show_drawing, step)
        try:
            child.result()
        except CifartuiError as error:
            self.app.call_from_thread(self.cifar_app.complain, str(error))
        self.app.call_from_thread(self._drawing_ended)

    def _show_drawing(self, step: Progress) -> None:
        text = f"… {step.activity}: {step.done:,} of {step.total:,}"
        self.query_one("#datasets", OptionList).replace_option_prompt(DRAWING, text)

    def _drawing_ended(self) -> None:
        self._drawing = None
        if is_prepared(SKETCHES):
            self.cifar_app.dataset_name = self.cifar_app.dataset_name or SKETCHES
        self._list_datasets()


def _dataset_line(name: str, chosen: bool) -> Content:
    try:
        facts = load_facts(name)
    except DataError:
        return Content(f"✗ {name} · damaged")
    mark = "●" if chosen else " "
    drawn = " drawn" * facts.drawn
    return Content.assemble(f"{mark} {name:<13.13} ", (f"{facts.train:>6,} + {facts.test:>6,}{drawn}", "$text-muted"))


def facts_text(facts: DatasetFacts) -> Content:
    """Counts per class as bars, and the channels' statistics."""
    most = max(facts.class_counts.train)
    lines = []
    for name, train, test in zip(facts.classes, facts.class_counts.train, facts.class_counts.test, strict=True):
        bar = "█" * max(1, round(BAR_CELLS * train / most))
        lines.append(
            Content.assemble(f"{name:<11.11}", (f"{bar:<{BAR_CELLS}}", "$primary"), f"{train:>6,} +{test:>5,}")
        )
    lines.append(Content.styled(f"mean {_triple(facts.mean)}  std {_triple(facts.std)}", "$text-muted"))
    lines.append(Content.styled(printable(facts.source), "$text-muted"))
    return Content("\n").join(lines)


def _triple(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)
