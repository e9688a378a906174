"""The dataset screen: what pictures there are, how many of each class, and what they look like."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from cifartui.dataset.catalogue import remove_dataset, rename_dataset
from cifartui.dataset.pictures import Picture, picture_order, read_pictures
from cifartui.dataset.store import SKETCHES, DatasetFacts, Split, is_prepared, load_facts, prepared_names
from cifartui.errors import CifartuiError, DataError, explain
from cifartui.failures import failure
from cifartui.text import printable, shortened, size
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.screens.loader_lab import LoaderLabScreen
from cifartui.tui.widgets.dataset_list import DatasetList
from cifartui.tui.widgets.dataset_texts import SPLIT_WORDS, class_choices, facts_text, histogram_text, next_text
from cifartui.tui.widgets.dialogs import ChoiceDialog, ConfirmDialog, TextDialog
from cifartui.tui.widgets.dialogs.fetching import FetchDialog
from cifartui.tui.widgets.dialogs.importing import ImportDialog
from cifartui.tui.widgets.dialogs.survey import Import
from cifartui.tui.widgets.picture_wall import PictureWall, Tile
from cifartui.tui.widgets.pixels import fitted, part_text, shows_colours

Answer = TypeVar("Answer")
TILE_BOX = (32, 32)
"""Height and width in pixels of which the wall's pictures are at most, and which small ones fill."""
CAPTION_CELLS = 14
CHOICE_CELLS = 60
"""Of a line in the list of classes."""


@dataclass(frozen=True)
class Asked:
    """Which pictures the wall goes through: of one class, or of all."""

    name: str
    split: Split = "train"
    label: int | None = None


@dataclass
class OrderFound(Message):
    """Where those pictures lie."""

    asked: Asked
    order: list[int]


@dataclass
class PageRead(Message):
    """The pictures of one page."""

    asked: Asked
    pictures: list[Picture]


@dataclass
class Unreadable(Message):
    """The pictures could not be read, for a reason given in a sentence."""

    asked: Asked
    problem: str


class DatasetScreen(NounScreen):
    """Choose a data set and look at it."""

    NOUN = "dataset"
    CSS_PATH = "dataset.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "fetch", tooltip="Fetch CIFAR-10 or CIFAR-100 from the internet", id="dataset.fetch"),
        Binding(
            "i",
            "import",
            "import",
            tooltip="Bring in pictures of your own from a folder or archive",
            id="dataset.import",
        ),
        Binding(
            "left",
            "page(-1)",
            "page",
            tooltip="Show the page of pictures before this one",
            id="dataset.back",
            key_display="←→",
            priority=True,
        ),
        Binding(
            "right",
            "page(1)",
            "page",
            tooltip="Show the next page of pictures",
            id="dataset.forward",
            show=False,
            priority=True,
        ),
        Binding(
            "o",
            "open",
            "open",
            tooltip="Open a picture: its red, green and blue, and the numbers of each pixel",
            id="dataset.open",
        ),
        Binding("l", "lab", "lab", tooltip="Measure which way of loading pictures is fastest here", id="dataset.lab"),
        Binding(
            "slash",
            "class",
            "class",
            tooltip="Look at one class, chosen from a list with the counts of each",
            id="dataset.class",
        ),
        Binding(
            "x",
            "cancel",
            "cancel",
            tooltip="Cancel the work under way: a download, an import, an export",
            id="dataset.cancel",
        ),
        Binding(
            "s",
            "other_split",
            "split",
            tooltip="Show training images, held-out ones where there are any, or test images",
            id="dataset.split",
        ),
        Binding(
            "c",
            "histogram",
            "histogram",
            tooltip="Show how bright the pictures are, or the counts again",
            id="dataset.histogram",
        ),
        Binding(
            "h",
            "verify",
            "verify",
            tooltip="Check that the stored data set is undamaged",
            id="dataset.verify",
        ),
        Binding(
            "z",
            "scale",
            "size",
            tooltip="Larger pictures, and in the end small ones again",
            id="dataset.scale",
        ),
        Binding(
            "Z",
            "wall",
            "wall",
            tooltip="Give the pictures the whole screen, or take it back",
            id="dataset.wall",
        ),
        Binding(
            "v",
            "rename",
            "rename",
            tooltip="Give the data set under the cursor another name",
            id="dataset.rename",
        ),
        Binding(
            "delete",
            "remove",
            "remove",
            tooltip="Remove the data set under the cursor; you are asked first",
            id="dataset.remove",
        ),
        Binding(
            "p",
            "export",
            "export",
            tooltip="Write the data set as folders of PNG files, one a class",
            id="dataset.export",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._facts: DatasetFacts | None = None
        self._looked_at: str | None = None
        """The data set under the cursor, damaged or not."""
        self._split: Split = "train"
        self._label: int | None = None
        self._order: list[int] = []
        self._first = 0
        self._histogram = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield DatasetList(widget_id="datasets")
                yield Static(id="next")
            with Vertical(id="facts-pane"):
                yield Static(id="facts")
        with Vertical(id="pictures"):
            yield Static(id="wall-title", classes="heading")
            yield PictureWall(
                widget_id="wall", caption_cells=CAPTION_CELLS, scale="small" if shows_colours(self.app) else "middle"
            )

    @property
    def _datasets(self) -> DatasetList:
        return self.query_one(DatasetList)

    @property
    def _asked(self) -> Asked | None:
        return Asked(self._facts.name, self._split, self._label) if self._facts else None

    def on_mount(self) -> None:
        self._list_datasets()
        if not is_prepared(SKETCHES):
            self._start("draw sketches", self._drawn, self.cifar_app.complain, "dataset", "show", SKETCHES, "--json")

    def on_screen_resume(self) -> None:
        self._list_datasets()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_facts)

    def _list_datasets(self, cursor: str | None = None) -> None:
        self._datasets.fill(self.cifar_app.dataset_name, cursor)
        self._datasets.focus()
        self._show_next()

    @on(OptionList.OptionHighlighted, "#datasets")
    def _look_at(self) -> None:
        name = self._datasets.name_under_cursor
        if name is None or (name == self._looked_at and self._facts):
            return
        self._looked_at = name
        try:
            self._facts = load_facts(name)
        except DataError as error:
            self._show_problem(str(error))
            return
        if self._split not in self._facts.splits:
            self._split = "train"
        self._label = None
        self._show_facts()
        self.query_one(PictureWall).set_picture_size(fitted(self._facts.image_size, TILE_BOX))
        self._find_order()

    def _show_problem(self, problem: str) -> None:
        """In place of the facts of a data set that is damaged."""
        self._facts, self._order = None, []
        self.query_one("#facts", Static).update(Content.styled(printable(problem), "$error"))
        self.query_one("#wall-title", Static).update(Content(printable(f"{self._looked_at} · damaged")))
        self.query_one(PictureWall).show_tiles([])
        self._show_next()

    def _show_next(self) -> None:
        text = next_text(self._facts, self.cifar_app.dataset_name, self._datasets.working)
        self.query_one("#next", Static).update(text)

    @on(OptionList.OptionSelected, "#datasets")
    def _choose(self) -> None:
        name = self._datasets.name_under_cursor
        if name and self._facts:
            self.cifar_app.dataset_name = name
            self._list_datasets()

    def _find_order(self) -> None:
        if self._asked:
            self._order_worker(self._asked)

    @work(thread=True, group="order", exclusive=True, exit_on_error=False, description="find the pictures of a class")
    def _order_worker(self, asked: Asked) -> None:
        try:
            self.post_message(OrderFound(asked, picture_order(asked.name, asked.split, asked.label)))
        except CifartuiError as error:
            self.post_message(Unreadable(asked, str(error)))

    def on_order_found(self, message: OrderFound) -> None:
        if message.asked == self._asked:
            self._order, self._first = message.order, 0
            self._read_page()

    @on(PictureWall.Resized)
    def _read_page(self) -> None:
        if self._asked and self._order:
            capacity = self.query_one(PictureWall).capacity
            self._page_worker(self._asked, self._order[self._first : self._first + capacity])
            self._show_title(capacity)

    @work(thread=True, group="page", exclusive=True, exit_on_error=False, description="read pictures")
    def _page_worker(self, asked: Asked, positions: list[int]) -> None:
        try:
            self.post_message(PageRead(asked, read_pictures(asked.name, asked.split, positions)))
        except CifartuiError as error:
            self.post_message(Unreadable(asked, str(error)))

    def on_page_read(self, message: PageRead) -> None:
        if self._facts and message.asked == self._asked:
            classes = self._facts.classes
            tiles = [Tile(one.pixels, printable(classes[one.label]), f"#{one.position}") for one in message.pictures]
            self.query_one(PictureWall).show_tiles(tiles)

    def on_unreadable(self, message: Unreadable) -> None:
        if message.asked == self._asked:
            self._show_problem(message.problem)

    def _show_title(self, capacity: int) -> None:
        assert self._facts
        what = "all classes" if self._label is None else self._facts.classes[self._label]
        page, pages = self._first // capacity + 1, -(-len(self._order) // capacity)
        drawn = self.query_one(PictureWall).drawn_size
        title = (
            f"{self._facts.name} · {SPLIT_WORDS[self._split]} images · {what} · page {page:,} of {pages:,}"
            f"{part_text(self._facts.image_size, drawn)}"
        )
        width = self.query_one("#wall-title").size.width
        self.query_one("#wall-title", Static).update(Content(shortened(printable(title), width)))

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
            width, lines = self.query_one("#facts").size.width, self.query_one("#facts-pane").size.height
            text = histogram_text(self._facts) if self._histogram else facts_text(self._facts, width, lines)
            self.query_one("#facts", Static).update(text)
            self._show_next()

    def action_class(self) -> None:
        """Choose the class to look at from a list with the counts of each."""
        if not self._facts:
            return
        facts = self._facts

        def take(label: str | None) -> None:
            if label is not None and facts is self._facts:
                self._label = int(label) if label else None
                self._find_order()

        chosen = "" if self._label is None else str(self._label)
        title = f"{facts.name}: look at one class ({' + '.join(SPLIT_WORDS[split] for split in facts.splits)} images)"
        self.app.push_screen(ChoiceDialog(title, class_choices(facts, CHOICE_CELLS), chosen=chosen), take)

    def action_other_split(self) -> None:
        """Training images, then held-out ones if there are any, then test images."""
        if self._facts:
            splits = self._facts.splits
            self._split = splits[(splits.index(self._split) + 1) % len(splits)]
            self._find_order()

    def action_scale(self) -> None:
        """Change between small, middle and large pictures."""
        self.query_one(PictureWall).cycle_scale()

    def action_wall(self) -> None:
        """Hide or show what is above the pictures."""
        upper = self.query_one("#upper")
        upper.display = not upper.display
        if upper.display:
            self.query_one("#datasets").focus()

    # WORK IN CHILD PROCESSES

    def _start(self, key: str, then: Callable[[bytes], None], failed: Callable[[str], None], *command: str) -> None:
        if not self._datasets.start(key, then, failed, *command):
            self.cifar_app.complain(f"{key} is under way already; x cancels it.")

    @on(DatasetList.WorkChanged)
    def _work_changed(self) -> None:
        self._datasets.fill(self.cifar_app.dataset_name)
        self._show_next()
        self.refresh_bindings()

    def action_cancel(self) -> None:
        """Cancel the work under the cursor, or the latest."""
        self._datasets.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action == "lab":  # other work would spoil its measurements
            return not self._datasets.working
        return self._datasets.working if action == "cancel" else True

    def _drawn(self, _answer: bytes) -> None:
        self.cifar_app.dataset_name = self.cifar_app.dataset_name or SKETCHES

    def _arrived(self, how: str, answer: bytes) -> None:
        name = msgspec.json.decode(answer, type=DatasetFacts).name
        self.cifar_app.dataset_name = name
        self.cifar_app.tell(f"{name} is {how}, and chosen for training: 2 shows the network, 3 trains it.")
        self._looked_at = None
        self._list_datasets(name)

    def _ask_again(
        self, dialog: Callable[[str], ModalScreen[Answer]], then: Callable[[Answer | None], None]
    ) -> Callable[[str], None]:
        """What is done with a refusal: it is shown where it can be corrected, unless the user is elsewhere by now."""

        def refused(problem: str) -> None:
            if self.app.screen is self:
                self.app.push_screen(dialog(problem), then)
            else:
                self.cifar_app.complain(problem)

        return refused

    def action_fetch(self) -> None:
        """Ask what to fetch, and fetch it."""
        self.app.push_screen(FetchDialog(), self._fetch)

    def _fetch(self, answer: tuple[str, str] | None) -> None:
        if answer:
            name, source = answer
            arguments = (
                ("--source", str(Path(source).expanduser()) if source.startswith("~") else source) if source else ()
            )
            again = self._ask_again(lambda problem: FetchDialog(name, source, problem), self._fetch)
            arrived = partial(self._arrived, "here, verified")
            self._start(f"fetch {name}", arrived, again, "dataset", "fetch", *arguments, "--json", "--", name)

    def action_import(self) -> None:
        """Ask for a path, show what is found there, and import it."""
        self.app.push_screen(ImportDialog(), self._import)

    def _import(self, answer: Import | None) -> None:
        if answer:
            again = self._ask_again(lambda problem: ImportDialog(answer.path, problem), self._import)
            arrived = partial(self._arrived, "imported")
            self._start(f"import {answer.name}", arrived, again, *answer.command())

    def action_verify(self) -> None:
        """Hash the data set under the cursor again."""
        name = self._looked_at

        def verified(answer: bytes) -> None:
            facts = msgspec.json.decode(answer, type=DatasetFacts)
            self.cifar_app.tell(f"{facts.name} has the sha256 it was stored with.")
            if self._facts and self._facts.name == facts.name:
                self._facts = facts
                self._show_facts()

        def damaged(problem: str) -> None:
            if name == self._looked_at:
                self._show_problem(problem)
            else:
                self.cifar_app.complain(problem)

        if name:
            self._start(f"verify {name}", verified, damaged, "dataset", "verify", "--json", "--", name)

    def action_export(self) -> None:
        """Ask for a new folder and write the data set under the cursor there."""
        if not self._facts:
            return
        name = self._facts.name

        def dialog(value: str, problem: str = "") -> TextDialog:
            title = f"Write {name} as class folders of PNGs to the new folder:"
            return TextDialog(title, value, path=(), problem=problem)

        def start(path: str | None) -> None:
            if path:
                folder = str(Path(path.strip()).expanduser().absolute())
                again = self._ask_again(lambda problem: dialog(path, problem), start)
                told = f"{folder} holds the pictures of {name}."
                command = ("dataset", "export", "--json", "--output", folder, "--", name)
                self._start(f"export {name}", lambda _: self.cifar_app.tell(told), again, *command)

        self.app.push_screen(dialog(name), start)

    def action_rename(self) -> None:
        """Ask for another name of the data set under the cursor."""
        if self._facts:
            name = self._facts.name
            title = f"New name of {name} (runs on it find it by its content):"
            self.app.push_screen(TextDialog(title, name, partial(self._rename, name)))

    def _rename(self, name: str, new_name: str) -> None:
        try:
            rename_dataset(name, new_name)
        except OSError as error:
            raise explain(error) from error
        if self.cifar_app.dataset_name == name:
            self.cifar_app.dataset_name = new_name
        self._looked_at = None
        self._list_datasets(new_name)

    def action_remove(self) -> None:
        """Remove the data set under the cursor, once that is confirmed."""
        name = self._looked_at
        if not name:
            return

        def remove(answer: bool | None) -> None:
            if answer:
                try:
                    remove_dataset(name)
                except (CifartuiError, OSError) as error:
                    self.cifar_app.complain(str(failure(error)))
                if self.cifar_app.dataset_name == name:
                    self.cifar_app.dataset_name = next(iter(prepared_names()), None)
                self._looked_at = self._facts = None
                self._list_datasets()

        freed = f", which frees {size(self._facts.bytes)}" if self._facts else ""
        question = f"Remove {name} from this machine{freed}? Runs on it are kept, but need it to go on or be evaluated."
        self.app.push_screen(ConfirmDialog(question), remove)
