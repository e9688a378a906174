"""The data sets on this machine, and the work under way on them in child processes: a line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cifartui.children import Child
from cifartui.dataset.fetching.archives import Archive, load_archives
from cifartui.dataset.store import prepared_names
from cifartui.errors import CifartuiError
from cifartui.progress import Progress
from cifartui.tui.widgets.dataset_texts import dataset_line, job_line, published_line

JOB, PUBLISHED = "job ", "published "
"""Begin the ids of rows that are no data sets but work under way, or data sets that can be fetched."""


@dataclass
class Job:
    """Work in a child process, and what is done with its answer or with the sentence that says why there is none."""

    child: Child
    then: Callable[[bytes], None]
    failed: Callable[[str], None]
    step: Progress | None = None
    cancelled: bool = False


def _published() -> list[Archive]:
    """One archive for each data set that can be fetched; none where the user's table of them cannot be read."""
    try:
        archives = {archive.dataset: archive for archive in reversed(load_archives())}
    except CifartuiError:  # fetching says it
        return []
    return [archives[name] for name in sorted(archives)]


class DatasetList(OptionList):
    """The data sets on this machine; says on the line of keys what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "use", tooltip="Use the data set under the cursor for training", id="dataset.choose")
    ]

    @dataclass
    class WorkChanged(Message):
        """Work began, or ended."""

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._jobs: dict[str, Job] = {}

    @property
    def working(self) -> bool:
        """Whether there is work under way."""
        return bool(self._jobs)

    @property
    def name_under_cursor(self) -> str | None:
        """The data set under the cursor."""
        option = self.highlighted_option
        return option.id if option and option.id and not option.id.startswith((JOB, PUBLISHED)) else None

    @property
    def published_under_cursor(self) -> str | None:
        """The data set under the cursor, if it can be fetched and is not here."""
        option = self.highlighted_option
        row = (option.id if option else None) or ""
        return row.removeprefix(PUBLISHED) if row.startswith(PUBLISHED) else None

    def fill(self, chosen: str | None, cursor: str | None = None) -> None:
        """List what there is now; the cursor stays on its data set, or goes to `cursor`."""
        names = prepared_names()
        option, place = self.highlighted_option, self.highlighted
        wanted = cursor or (option.id if option else None) or chosen
        tall = not self.screen.has_class("-narrow")
        options = [Option(dataset_line(name, name == chosen, tall=tall), id=name) for name in names]
        options += [Option(job_line(key, job.step), id=f"{JOB}{key}") for key, job in self._jobs.items()]
        options += [
            Option(published_line(archive, tall=tall), id=f"{PUBLISHED}{archive.dataset}")
            for archive in _published()
            if archive.dataset not in names and f"fetch {archive.dataset}" not in self._jobs
        ]
        self.set_options(options)
        ids = [option.id for option in options]
        if wanted in ids:
            self.highlighted = ids.index(wanted)
        elif names:
            self.highlighted = min(place or 0, len(names) - 1)

    def start(self, key: str, then: Callable[[bytes], None], failed: Callable[[str], None], *command: str) -> bool:
        """Begin work that is shown as `key`; False where it is under way already."""
        if key in self._jobs:
            return False
        self._jobs[key] = job = Job(Child("cifartui", *command), then, failed)
        self.add_option(Option(job_line(key, None), id=f"{JOB}{key}"))
        self._watch(key, job.child)
        self.post_message(self.WorkChanged())
        return True

    @work(thread=True, group="jobs", exit_on_error=False, description="watch work in a child process")
    def _watch(self, key: str, child: Child) -> None:
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
        self.replace_option_prompt(f"{JOB}{key}", job_line(key, step))

    def _ended(self, key: str, answer: bytes | None, problem: str) -> None:
        job = self._jobs.pop(key)
        if answer is not None:
            job.then(answer)
        elif not job.cancelled:
            job.failed(problem)
        self.post_message(self.WorkChanged())

    def cancel(self) -> None:
        """Cancel the work under the cursor, or the latest."""
        option = self.highlighted_option
        chosen = (option.id or "").removeprefix(JOB) if option else ""
        key = chosen if chosen in self._jobs else next(reversed(self._jobs), None)
        if key:
            self._jobs[key].cancelled = True
            self._jobs[key].child.cancel()

    def on_unmount(self) -> None:
        for job in self._jobs.values():
            job.child.cancel()
