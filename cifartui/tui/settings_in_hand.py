"""The settings in hand: what all screens know of them, remembered from one start to the next."""

import threading

import msgspec
from textual import work
from textual.reactive import reactive

from cifartui.errors import explain
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.recipe import Recipe
from cifartui.tui.in_hand import InHand
from cifartui.tui.notices import Notices
from cifartui.tui.remembering import DEFAULT_RECIPE, Remembered, recall, remember, write_remembered


class SettingsInHand(Notices):
    """An app with settings in hand, which it writes down as they change."""

    recipe: reactive[Recipe] = reactive(lambda: load_recipe(DEFAULT_RECIPE))
    """The recipe in hand, with what was changed of it."""
    recipe_name: str = DEFAULT_RECIPE
    dataset_name: reactive[str | None] = reactive(None)
    """The data set to train on, chosen on the dataset screen."""

    def __init__(self) -> None:
        super().__init__()
        own = load_recipe(DEFAULT_RECIPE)
        self.in_hand = InHand(DEFAULT_RECIPE, own, own)
        """What is asked of a new run so far."""
        self._written: Remembered | None = None
        """What was written down last; None before it is known what was remembered."""
        self._writing = threading.Lock()
        self._complained = False
        """Whether it was said that nothing can be written."""

    def recall_settings(self) -> tuple[str | None, str]:
        """Take the settings of last time in hand; return the data set of then, and what of them does not fit."""
        asked, dataset, problem = recall()
        self.in_hand, self.recipe_name, self.recipe = asked, asked.name, asked.recipe
        self._written = remember(asked, dataset)
        return dataset, problem

    def take_in_hand(self, asked: InHand) -> None:
        """Have other settings in hand."""
        self.in_hand, self.recipe_name, self.recipe = asked, asked.name, asked.recipe
        self._write_down()

    def watch_recipe(self, recipe: Recipe) -> None:
        """Another screen than that of the settings changed it."""
        if recipe != self.in_hand.recipe:
            self.in_hand = msgspec.structs.replace(self.in_hand, recipe=recipe)
            self._write_down()

    def watch_dataset_name(self) -> None:
        """It is remembered, too."""
        self._write_down()

    def on_unmount(self) -> None:
        self._write_if_changed()

    @work(thread=True, group="remember", exit_on_error=False, description="remember the settings")
    def _write_down(self) -> None:
        self._write_if_changed()

    def _write_if_changed(self) -> None:
        """Write down what is in hand now, unless it is what was written last; say once where that cannot be."""
        with self._writing:
            remembered = remember(self.in_hand, self.dataset_name)
            if self._written is None or remembered == self._written:
                return
            self._written = remembered
            try:
                write_remembered(remembered)
            except OSError as error:
                if not self._complained:
                    self._complained = True
                    self.call_later(self.complain, f"The settings will not be remembered: {explain(error)}")
