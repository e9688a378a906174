"""The dataset screen: what pictures there are, how many of each class, and what they look like."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cifartui.dataset.catalogue import remove_dataset, rename_dataset
from cifartui.dataset.pictures import Picture, picture_order, read_pictures
from cifartui.dataset.store import SKETCHES, DatasetFacts, Split, is_prepared, load_facts, prepared_names
from cifartui.errors import CifartuiError, DataError, explain
from cifartui.progress import Progress
from cifartui.tui.children import ChildCommand
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.screens.loader_lab import LoaderLabScreen
from cifartui.tui.widgets.dataset_texts import dataset_line, facts_text, histogram_text, job_line
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog
from cifartui.tui.widgets.dialogs.fetching import FetchDialog
from cifartui.tui.widgets.dialogs.importing import ImportDialog
from cifartui.tui.widgets.picture_wall import PictureWall, Tile

JOB = "job "
"""Begins the ids of rows that are no data sets but work under way."""


@dataclass
class Job:
    """Work in a child process, and what is done with its answer."""

    child: ChildCommand
    then: Callable[[bytes], None]
    step: Progress | None = None
    cancelled: bool = False


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
        Binding("enter", "select", "use", tooltip="Train on this data set", id="dataset.choose")
    ]


class DatasetScreen(NounScreen):
    """Choose a data set and look at it."""

    NOUN = "dataset"
    CSS_PATH = "dataset.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "fetch", tooltip="Fetch CIFAR-10 or CIFAR-100", id="dataset.fetch"),
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
        Binding("o", "open", "open", tooltip="One picture, its channels and pixels", id="dataset.open"),
        Binding("l", "lab", "lab", tooltip="How fast each way of loading is here", id="dataset.lab"),
        Binding("h", "histogram", "histogram", tooltip="Histogram or counts", id="dataset.histogram", show=False),
        Binding(
            "c", "next_class", "class", tooltip="Only the next class, then all again", id="dataset.class", show=False
        ),
        Binding("s", "other_split", "split", tooltip="Training or test images", id="dataset.split", show=False),
        Binding("w", "wall", "wall", tooltip="Give the pictures the whole screen", id="dataset.wall", show=False),
        Binding("x", "cancel", "cancel", tooltip="Cancel what is under way", id="dataset.cancel"),
        Binding("v", "verify", "verify", tooltip="Hash the data set again", id="dataset.verify", show=False),
        Binding("r", "rename", "rename", tooltip="Give the data set another name", id="dataset.rename", show=False),
        Binding("delete", "remove", "remove", tooltip="Remove the data set", id="dataset.remove", show=False),
        Binding("p", "export", "export", tooltip="Write class folders of PNGs", id="dataset.export", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._facts: DatasetFacts | None = None
        self._split: Split = "train"
        self._label: int | None = None
        self._order: list[int] = []
        self._first = 0
        self._jobs: dict[str, Job] = {}
        self._histogram = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="upper"):
            yield DatasetList(id="datasets")
            with Vertical(id="facts-pane"):
                yield Static(id="facts")
        with Vertical(id="pictures"):
            yield Static(id="wall-title", classes="heading")
            yield PictureWall(widget_id="wall")

    def on_mount(self) -> None:
        self._list_datasets()
        if not is_prepared(SKETCHES):
            self._start("draw sketches", self._drawn, "dataset", "show", SKETCHES, "--json")

    def on_unmount(self) -> None:
        for job in self._jobs.values():
            job.child.cancel()

    def on_screen_resume(self) -> None:
        self._list_datasets()

    def _list_datasets(self) -> None:
        datasets = self.query_one("#datasets", OptionList)
        highlighted = datasets.highlighted
        names = prepared_names()
        chosen = self.cifar_app.dataset_name
        options = [Option(dataset_line(name, name == chosen), id=name) for name in names]
        options += [Option(job_line(key, job.step), id=f"{JOB}{key}") for key, job in self._jobs.items()]
        datasets.set_options(options)
        if names:
            datasets.highlighted = min(
                highlighted if highlighted is not None else names.index(chosen or names[0]), len(names) - 1
            )
            datasets.focus()

    @on(OptionList.OptionHighlighted, "#datasets")
    def _look_at(self, event: OptionList.OptionHighlighted) -> None:
        if not event.option_id or event.option_id.startswith(JOB):
            return
        if self._facts and self._facts.name == event.option_id:
            return
        try:
            self._facts = load_facts(event.option_id)
        except DataError as error:
            self.cifar_app.complain(str(error))
            return
        self._show_facts()
        self.query_one(PictureWall).set_picture_size(self._facts.image_size)
        self._label = None
        self._find_order()

    @on(OptionList.OptionSelected, "#datasets")
    def _choose(self, event: OptionList.OptionSelected) -> None:
        if not event.option_id or event.option_id.startswith(JOB):
            return
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
            classes = self._facts.classes
            tiles = [Tile(one.pixels, f"{classes[one.label]} #{one.position}") for one in message.pictures]
            self.query_one(PictureWall).show_tiles(tiles)

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

    def action_open(self) -> None:
        """Open the first picture of the page."""
        from cifartui.tui.screens.picture import PictureScreen  # numpy, for which the first frame need not wait

        if self._facts and self._order:
            self.app.push_screen(PictureScreen(self._facts, self._split, self._order, self._first))

    def action_lab(self) -> None:
        """Measure ways of loading the data set under the cursor."""
        if self._facts:
            self.app.push_screen(LoaderLabScreen(self._facts.name))

    def action_histogram(self) -> None:
        """Swap counts per class and the channels' histograms."""
        self._histogram = not self._histogram
        self._show_facts()

    def _show_facts(self) -> None:
        if self._facts:
            text = histogram_text(self._facts) if self._histogram else facts_text(self._facts)
            self.query_one("#facts", Static).update(text)

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

    # WORK IN CHILD PROCESSES

    def _start(self, key: str, then: Callable[[bytes], None], *command: str) -> None:
        if key in self._jobs:
            self.cifar_app.complain(f"{key} is under way already; x cancels it.")
            return
        self._jobs[key] = job = Job(ChildCommand(*command), then)
        self._list_datasets()
        self.refresh_bindings()
        self._watch(key, job.child)

    @work(thread=True, group="jobs", exit_on_error=False, description="watch work in a child process")
    def _watch(self, key: str, child: ChildCommand) -> None:
        for step in child.progress():
            self.app.call_from_thread(self._progressed, key, step)
        try:
            answer = child.result()
        except CifartuiError as error:
            self.app.call_from_thread(self._ended, key, None, str(error))
        else:
            self.app.call_from_thread(self._ended, key, answer, "")

    def _progressed(self, key: str, step: Progress) -> None:
        self._jobs[key].step = step
        self.query_one("#datasets", OptionList).replace_option_prompt(f"{JOB}{key}", job_line(key, step))

    def _ended(self, key: str, answer: bytes | None, problem: str) -> None:
        job = self._jobs.pop(key)
        if answer is not None:
            job.then(answer)
        elif not job.cancelled:
            self.cifar_app.complain(problem)
        self._list_datasets()
        self.refresh_bindings()

    def action_cancel(self) -> None:
        """Cancel the work under the cursor, or the latest."""
        option = self.query_one("#datasets", OptionList).highlighted_option
        chosen = (option.id or "").removeprefix(JOB) if option else ""
        key = chosen if chosen in self._jobs else next(reversed(self._jobs), None)
        if key:
            self._jobs[key].cancelled = True
            self._jobs[key].child.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        return bool(self._jobs) if action == "cancel" else True

    def _drawn(self, _answer: bytes) -> None:
        self.cifar_app.dataset_name = self.cifar_app.dataset_name or SKETCHES

    def _arrived(self, answer: bytes) -> None:
        facts = msgspec.json.decode(answer, type=DatasetFacts)
        self.cifar_app.dataset_name = facts.name
        self.cifar_app.tell(f"{facts.name} is here, verified, and chosen for training.")
        self._list_datasets()
        self.query_one("#datasets", OptionList).highlighted = prepared_names().index(facts.name)

    def action_fetch(self) -> None:
        """Ask what to fetch, and fetch it."""

        def start(answer: tuple[str, str] | None) -> None:
            if answer:
                name, source = answer
                sources = ("--source", source) if source else ()
                self._start(f"fetch {name}", self._arrived, "dataset", "fetch", name, *sources, "--json")

        self.app.push_screen(FetchDialog(), start)

    def action_verify(self) -> None:
        """Hash the data set under the cursor again."""

        def verified(answer: bytes) -> None:
            facts = msgspec.json.decode(answer, type=DatasetFacts)
            self.cifar_app.tell(f"{facts.name} has the sha256 it was stored with.")
            self._facts = None

        if self._facts:
            self._start(f"verify {self._facts.name}", verified, "dataset", "verify", self._facts.name, "--json")

    def action_export(self) -> None:
        """Ask for a new folder and write the data set under the cursor there."""
        if not self._facts:
            return
        name = self._facts.name

        def start(path: str | None) -> None:
            if path:
                folder = str(Path(path).expanduser())
                told = f"{folder} holds the pictures of {name}."
                self._start(
                    f"export {name}",
                    lambda _: self.cifar_app.tell(told),
                    *("dataset", "export", "--json", "--output", folder, "--", name),
                )

        self.app.push_screen(
            TextDialog(f"Write {name} as class folders of PNGs to the new folder:", name, path=True), start
        )

    def action_rename(self) -> None:
        """Ask for another name of the data set under the cursor."""
        if self._facts:
            name = self._facts.name
            self.app.push_screen(TextDialog(f"New name of {name}:", name, partial(self._renamed, name)))

    def _renamed(self, name: str, new_name: str) -> None:
        try:
            rename_dataset(name, new_name)
        except OSError as error:
            raise explain(error) from error
        if self.cifar_app.dataset_name == name:
            self.cifar_app.dataset_name = new_name
        self._facts = None
        self._list_datasets()

    def action_remove(self) -> None:
        """Remove the data set under the cursor, once that is confirmed."""
        if not self._facts:
            return
        name = self._facts.name

        def remove(answer: bool | None) -> None:
            if answer:
                try:
                    remove_dataset(name)
                except CifartuiError as error:
                    self.cifar_app.complain(str(error))
                except OSError as error:
                    self.cifar_app.complain(str(explain(error)))
                if self.cifar_app.dataset_name == name:
                    self.cifar_app.dataset_name = next(iter(prepared_names()), None)
                self._facts = None
                self._list_datasets()

        self.app.push_screen(ConfirmDialog(f"Remove {name} from this machine?"), remove)
