"""The dataset screen: what pictures there are, how many of each class, and what they look like."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import OptionList, Static

from cifartui.dataset.store import load_facts
from cifartui.errors import DataError
from cifartui.lessons.topic import Topic
from cifartui.lessons.values import dataset_values
from cifartui.text import printable, shortened
from cifartui.tui.screens.dataset_work import DatasetWorkScreen
from cifartui.tui.screens.loader_lab import LoaderLabScreen
from cifartui.tui.widgets.dataset_charts import channels_text, class_bars, guess_text
from cifartui.tui.widgets.dataset_list import DatasetList
from cifartui.tui.widgets.dataset_texts import SPLIT_WORDS, class_choices, next_text, source_text
from cifartui.tui.widgets.dialogs import ChoiceDialog
from cifartui.tui.widgets.panel import Choose, Look, Panel
from cifartui.tui.widgets.pictures_panel import PicturesPanel

CHOICE_CELLS = 60
"""Of a line in the list of classes."""
MOST_CLASS_LINES = 10


class DatasetScreen(DatasetWorkScreen):
    """Choose a data set and look at it."""

    NOUN = "dataset"
    CSS_PATH = "dataset.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
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
        Binding(
            "slash",
            "class",
            "class",
            tooltip="Look at one class, chosen from a list with the counts of each",
            id="dataset.class",
        ),
        Binding(
            "s",
            "other_split",
            "split",
            tooltip="Show training images, held-out ones where there are any, or test images",
            id="dataset.split",
        ),
        Binding(
            "z",
            "scale",
            "size",
            tooltip="Larger pictures, and in the end small ones again",
            id="dataset.scale",
        ),
        Binding("f", "fetch", "fetch", tooltip="Fetch CIFAR-10 or CIFAR-100 from the internet", id="dataset.fetch"),
        Binding(
            "i",
            "import",
            "import",
            tooltip="Bring in pictures of your own from a folder or archive",
            id="dataset.import",
        ),
        Binding(
            "c",
            "charts",
            "histogram",
            tooltip="Show how many pictures each class has and how bright they are, or what was there before",
            id="dataset.histogram",
        ),
        Binding(
            "Z",
            "wall",
            "wall",
            tooltip="Give the pictures the whole screen, or take it back",
            id="dataset.wall",
        ),
        Binding("l", "lab", "lab", tooltip="Measure which way of loading pictures is fastest here", id="dataset.lab"),
        Binding(
            "h",
            "verify",
            "verify",
            tooltip="Check that the stored data set is undamaged",
            id="dataset.verify",
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
        Binding(
            "x",
            "cancel",
            "cancel",
            tooltip="Cancel the work under way: a download, an import, an export",
            id="dataset.cancel",
        ),
    ]

    def compose_body(self) -> ComposeResult:
        with Choose():
            with Horizontal(id="sets"):
                yield Panel("data sets", DatasetList(widget_id="datasets"), id="sets-panel", classes="-bare")
                yield Static(id="next")
            yield Panel("classes", Static(id="classes"), id="classes-panel")
            yield Panel("channels", Static(id="channels"), id="channels-panel")
        with Look():
            yield PicturesPanel(id="pictures")

    @property
    def _pictures(self) -> PicturesPanel:
        return self.query_one(PicturesPanel)

    def on_mount(self) -> None:
        self.list_datasets()
        self.draw_sketches()

    def on_screen_resume(self) -> None:
        self.list_datasets()

    def on_resize(self) -> None:
        self.datasets.fill(self.cifar_app.dataset_name)  # lines of another length
        self.call_after_refresh(self.show_facts)

    def list_datasets(self, cursor: str | None = None) -> None:
        """List what there is now, with the cursor on one of them."""
        self.datasets.fill(self.cifar_app.dataset_name, cursor)
        self.datasets.focus()
        self._show_next()

    @on(OptionList.OptionHighlighted, "#datasets")
    def _look_at(self) -> None:
        name = self.datasets.name_under_cursor
        self._show_next()
        if name is None or (name == self.looked_at and self.facts):
            return
        self.looked_at = name
        try:
            self.facts = load_facts(name)
        except DataError as error:
            self.show_problem(str(error))
            return
        self._pictures.look_at(self.facts)
        self.show_facts()

    def show_problem(self, problem: str) -> None:
        """In place of the facts of a data set that is damaged."""
        self.facts = None
        self.query_one("#classes", Static).update(Content.styled(printable(problem), "$error"))
        self.query_one("#channels", Static).update("")
        self._pictures.clear(f"{self.looked_at} · damaged")
        self._show_next()

    def show_facts(self) -> None:
        """Classes and channels of the data set under the cursor, at the size that their panels have."""
        if not self.facts:
            return
        facts, split = self.facts, self._pictures.split
        classes, channels = self.query_one("#classes-panel", Panel), self.query_one("#channels-panel", Panel)
        lines = min(len(facts.classes), MOST_CLASS_LINES)
        self.query_one("#classes", Static).update(class_bars(self.app, facts, split, classes.content_size.width, lines))
        classes.entitle(f"classes · {SPLIT_WORDS[split]} images")
        classes.say(guess_text(facts, split))
        width = channels.content_size.width
        source = Content.styled(shortened(source_text(facts), max(1, width)), "$text-muted")
        self.query_one("#channels", Static).update(channels_text(facts, width) + "\n" + source)
        self._show_next()
        self.explain()

    @property
    def own_topic(self) -> Topic:
        """What the transforms make of the pictures; classes, where they are of one; else what a data set is."""
        if not self.facts or self.datasets.published_under_cursor:
            return Topic("screen.dataset")
        key = "screen.dataset.transforms" if self._pictures.label is None else "screen.dataset.classes"
        return Topic(key, dataset_values(self.cifar_app.recipe, self.facts))

    def _show_next(self) -> None:
        text = next_text(self.facts, self.cifar_app.dataset_name, working=self.datasets.working)
        self.query_one("#next", Static).update(text)

    @on(OptionList.OptionSelected, "#datasets")
    def _choose(self) -> None:
        name = self.datasets.name_under_cursor
        if name and self.facts:
            self.cifar_app.dataset_name = name
            self.list_datasets()
        elif self.datasets.published_under_cursor:
            self.action_fetch()

    @on(PicturesPanel.Unreadable)
    def _pictures_are_damaged(self, message: PicturesPanel.Unreadable) -> None:
        if message.asked == self._pictures.asked:
            self.show_problem(message.problem)

    def action_page(self, direction: int) -> None:
        """Turn the page."""
        self._pictures.turn(direction)

    def action_open(self) -> None:
        """Open the first picture of the page."""
        from cifartui.tui.screens.picture import PictureScreen  # numpy, for which the first frame need not wait

        pictures = self._pictures
        if self.facts and pictures.order:
            self.app.push_screen(PictureScreen(self.facts, pictures.split, pictures.order, pictures.first))

    def action_lab(self) -> None:
        """Measure ways of loading the data set under the cursor."""
        if self.facts:
            self.app.push_screen(LoaderLabScreen(self.facts.name))

    def action_charts(self) -> None:
        """Where there is no room for all, classes and channels in place of the pictures, or channels of the classes."""
        self.toggle_class("-charts")
        self.call_after_refresh(self.show_facts)

    def action_class(self) -> None:
        """Choose the class to look at from a list with the counts of each."""
        if not self.facts:
            return
        facts, pictures = self.facts, self._pictures

        def take(label: str | None) -> None:
            if label is not None and facts is self.facts:
                pictures.take_class(int(label) if label else None)

        chosen = "" if pictures.label is None else str(pictures.label)
        title = f"{facts.name}: look at one class ({' + '.join(SPLIT_WORDS[split] for split in facts.splits)} images)"
        self.app.push_screen(ChoiceDialog(title, class_choices(facts, CHOICE_CELLS), chosen=chosen), take)

    def action_other_split(self) -> None:
        """Training images, then held-out ones if there are any, then test images."""
        self._pictures.other_split()
        self.show_facts()

    def action_scale(self) -> None:
        """Change between small, middle and large pictures."""
        self._pictures.wall.cycle_scale()

    def action_wall(self) -> None:
        """Give the pictures the whole screen, or take it back."""
        self.toggle_class("-pictures-only")
        if not self.has_class("-pictures-only"):
            self.datasets.focus()

    @on(DatasetList.WorkChanged)
    def _work_changed(self) -> None:
        self.datasets.fill(self.cifar_app.dataset_name)
        self._show_next()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now are hidden."""
        if action == "lab":  # other work would spoil its measurements
            return not self.datasets.working
        if action == "charts":
            return self.has_class("-narrow") or self.has_class("-short")
        return self.datasets.working if action == "cancel" else True
