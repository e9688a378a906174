"""Work on data sets from the screen that lists them: fetch, import, verify, export, rename and remove them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from textual.screen import ModalScreen

from cifartui.dataset.catalogue import remove_dataset, rename_dataset
from cifartui.dataset.store import SKETCHES, DatasetFacts, is_prepared, prepared_names
from cifartui.errors import CifartuiError, explain
from cifartui.failures import failure
from cifartui.text import size
from cifartui.tui.screens.base import NounScreen
from cifartui.tui.widgets.dataset_list import DatasetList
from cifartui.tui.widgets.dialogs import ConfirmDialog, TextDialog
from cifartui.tui.widgets.dialogs.fetching import FetchDialog
from cifartui.tui.widgets.dialogs.importing import ImportDialog
from cifartui.tui.widgets.dialogs.survey import Import

Answer = TypeVar("Answer")


class DatasetWorkScreen(NounScreen):
    """A screen with a list of data sets, which lets child processes work on them."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: DatasetFacts | None = None
        self.looked_at: str | None = None
        """The data set under the cursor, damaged or not."""

    @property
    def datasets(self) -> DatasetList:
        """The list."""
        return self.query_one(DatasetList)

    def list_datasets(self, cursor: str | None = None) -> None:
        """List what there is now, with the cursor on one of them."""
        raise NotImplementedError

    def show_facts(self) -> None:
        """Show what is known of the data set under the cursor."""
        raise NotImplementedError

    def show_problem(self, problem: str) -> None:
        """Show why nothing is known of it."""
        raise NotImplementedError

    def draw_sketches(self) -> None:
        """Draw the data set that needs no download, unless it is there."""
        if not is_prepared(SKETCHES):
            self._start("draw sketches", self._drawn, self.cifar_app.complain, "dataset", "show", SKETCHES, "--json")

    def _start(self, key: str, then: Callable[[bytes], None], failed: Callable[[str], None], *command: str) -> None:
        if not self.datasets.start(key, then, failed, *command):
            self.cifar_app.complain(f"{key} is under way already; x cancels it.")

    def action_cancel(self) -> None:
        """Cancel the work under the cursor, or the latest."""
        self.datasets.cancel()

    def _drawn(self, _answer: bytes) -> None:
        self.cifar_app.dataset_name = self.cifar_app.dataset_name or SKETCHES

    def _arrived(self, how: str, answer: bytes) -> None:
        name = msgspec.json.decode(answer, type=DatasetFacts).name
        self.cifar_app.dataset_name = name
        self.cifar_app.tell(f"{name} is {how}, and chosen for training: 2 shows the network, 3 trains it.")
        self.looked_at = None
        self.list_datasets(name)

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
        self.app.push_screen(FetchDialog(self.datasets.published_under_cursor or ""), self._fetch)

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
        name = self.looked_at

        def verified(answer: bytes) -> None:
            facts = msgspec.json.decode(answer, type=DatasetFacts)
            self.cifar_app.tell(f"{facts.name} has the sha256 it was stored with.")
            if self.facts and self.facts.name == facts.name:
                self.facts = facts
                self.show_facts()

        def damaged(problem: str) -> None:
            if name == self.looked_at:
                self.show_problem(problem)
            else:
                self.cifar_app.complain(problem)

        if name:
            self._start(f"verify {name}", verified, damaged, "dataset", "verify", "--json", "--", name)

    def action_export(self) -> None:
        """Ask for a new folder and write the data set under the cursor there."""
        if not self.facts:
            return
        name = self.facts.name

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
        if self.facts:
            name = self.facts.name
            title = f"New name of {name} (runs on it find it by its content):"
            self.app.push_screen(TextDialog(title, name, partial(self._rename, name)))

    def _rename(self, name: str, new_name: str) -> None:
        try:
            rename_dataset(name, new_name)
        except OSError as error:
            raise explain(error) from error
        if self.cifar_app.dataset_name == name:
            self.cifar_app.dataset_name = new_name
        self.looked_at = None
        self.list_datasets(new_name)

    def action_remove(self) -> None:
        """Remove the data set under the cursor, once that is confirmed."""
        name = self.looked_at
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
                self.looked_at = self.facts = None
                self.list_datasets()

        freed = f", which frees {size(self.facts.bytes)}" if self.facts else ""
        question = f"Remove {name} from this machine{freed}? Runs on it are kept, but need it to go on or be evaluated."
        self.app.push_screen(ConfirmDialog(question), remove)
