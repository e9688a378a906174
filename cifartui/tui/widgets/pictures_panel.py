"""The panel of a data set's pictures: of which split and class they are, and which page is in view."""

from dataclasses import dataclass

from textual import on, work
from textual.message import Message

from cifartui.dataset.pictures import Picture, picture_order, read_pictures
from cifartui.dataset.store import DatasetFacts, Split
from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.tui.theme import class_variable, colour
from cifartui.tui.widgets.dataset_texts import SPLIT_WORDS
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.picture_wall import PictureWall, Scale, Tile
from cifartui.tui.widgets.pixels import fitted, part_text, shows_colours

PICTURE_BOX = (32, 32)
"""Height and width in pixels of which pictures are at most, and which small ones fill."""
CAPTION_CELLS = 14
LARGER: dict[Scale, str] = {"small": "z larger", "middle": "z larger", "large": "z small"}


@dataclass(frozen=True)
class Asked:
    """Which pictures are gone through: of one class, or of all."""

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


class PicturesPanel(Panel):
    """The pictures of a data set, a page at a time."""

    @dataclass
    class Unreadable(Message):
        """The pictures could not be read, for a reason given in a sentence."""

        asked: Asked
        problem: str

    def __init__(self, *, id: str) -> None:  # noqa: A002  # as in all widgets of the library
        super().__init__("pictures", id=id)
        self._facts: DatasetFacts | None = None
        self.split: Split = "train"
        """Of which the pictures are."""
        self.label: int | None = None
        """The class they are of; None where they are of all."""
        self.order: list[int] = []
        """Positions of all of them in the split."""
        self.first = 0
        """The place in `order` of the first on the page."""

    def on_mount(self) -> None:
        # with few colours a picture needs more cells to be recognised
        self.mount(
            PictureWall(
                widget_id="wall",
                caption_cells=CAPTION_CELLS,
                scale="small" if shows_colours(self.app) else "middle",
            )
        )

    @property
    def wall(self) -> PictureWall:
        """Where they are drawn."""
        return self.query_one(PictureWall)

    @property
    def asked(self) -> Asked | None:
        """Which pictures are gone through; None while there are none."""
        return Asked(self._facts.name, self.split, self.label) if self._facts else None

    def look_at(self, facts: DatasetFacts) -> None:
        """Go through the pictures of a data set, of the same split if it has that."""
        self._facts, self.label = facts, None
        self.split = self.split if self.split in facts.splits else "train"
        self.wall.set_picture_size(fitted(facts.image_size, PICTURE_BOX))
        self._find_order()

    def clear(self, title: str) -> None:
        """Show none, and why not."""
        self._facts, self.order = None, []
        self.entitle(title)
        self.say("")
        self.wall.show_tiles([])

    def take_class(self, label: int | None) -> None:
        """Go through the pictures of one class, or of all."""
        self.label = label
        self._find_order()

    def other_split(self) -> None:
        """Training images, then held-out ones if there are any, then test images."""
        if self._facts:
            splits = self._facts.splits
            self.split = splits[(splits.index(self.split) + 1) % len(splits)]
            self._find_order()

    def turn(self, direction: int) -> None:
        """Turn the page."""
        first = self.first + direction * self.wall.capacity
        if 0 <= first < len(self.order):
            self.first = first
            self._read_page()

    def _find_order(self) -> None:
        if self.asked:
            self._order_worker(self.asked)

    @work(thread=True, group="order", exclusive=True, exit_on_error=False, description="find the pictures of a class")
    def _order_worker(self, asked: Asked) -> None:
        try:
            self.post_message(OrderFound(asked, picture_order(asked.name, asked.split, asked.label)))
        except CifartuiError as error:
            self.post_message(self.Unreadable(asked, str(error)))

    def on_order_found(self, message: OrderFound) -> None:
        if message.asked == self.asked:
            self.order, self.first = message.order, 0
            self._read_page()

    @on(PictureWall.Resized)
    def _read_page(self) -> None:
        if self.asked and self.order:
            self._page_worker(self.asked, self.order[self.first : self.first + self.wall.capacity])
            self._show_title()

    @work(thread=True, group="page", exclusive=True, exit_on_error=False, description="read pictures")
    def _page_worker(self, asked: Asked, positions: list[int]) -> None:
        try:
            self.post_message(PageRead(asked, read_pictures(asked.name, asked.split, positions)))
        except CifartuiError as error:
            self.post_message(self.Unreadable(asked, str(error)))

    def on_page_read(self, message: PageRead) -> None:
        if self._facts and message.asked == self.asked:
            self.wall.show_tiles([self._tile(picture, self._facts) for picture in message.pictures])

    def _tile(self, picture: Picture, facts: DatasetFacts) -> Tile:
        name = facts.classes[picture.label]
        mark = colour(self.app, class_variable(name, picture.label))
        number = "" if self.wall.scale == "small" else f"#{picture.position}"
        return Tile(picture.pixels, printable(name), number, mark)

    def _show_title(self) -> None:
        assert self._facts
        capacity = self.wall.capacity
        what = "all classes" if self.label is None else self._facts.classes[self.label]
        page, pages = self.first // capacity + 1, -(-len(self.order) // capacity)
        page_text = f"page {page:,} of {pages:,}{part_text(self._facts.image_size, self.wall.drawn_size)}"
        title = f"{self._facts.name} · {SPLIT_WORDS[self.split]} images · {what}"
        is_bordered = not self.screen.has_class("-narrow")  # without a border there is no lower edge
        self.entitle(title if is_bordered else f"{title} · {page_text}")
        self.say(f"{page_text} · {LARGER[self.wall.scale]}" if is_bordered else "")
