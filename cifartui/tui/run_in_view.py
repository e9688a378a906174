"""The run in view: whose journal is read, and what it says."""

import subprocess

import msgspec
from textual import work
from textual.app import App
from textual.reactive import var
from textual.worker import get_current_worker

from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.training.run.folder import Run
from cifartui.training.run.follow import follow
from cifartui.training.run.glimpse import GlimpseReader
from cifartui.tui.messages import RunRead
from cifartui.tui.view import RunView, guessing_loss, read_on, recipe_of

TAKEN_SECONDS = 0.1
"""Between two looks whether a run that was read is still to be shown."""


class RunInView(App[None]):
    """An app with a run in view, whose journal a worker reads."""

    run_view: var[RunView | None] = var(None)
    """The run in view, living or ended; who draws it watches, and the rest of the screen is left as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._followed = ""
        """The id of the run whose journal is read."""

    def follow_run(self, run: Run, host: "subprocess.Popen[bytes] | None" = None) -> None:
        """Bring a run into view, with the host that was just started for it, and keep reading its journal."""
        self.workers.cancel_group(self, "follow")
        self.run_view = RunView(run=run)
        self.follow_quietly(run, host)

    def leave_run(self) -> None:
        """Have no run in view."""
        self.workers.cancel_group(self, "follow")
        self._followed, self.run_view = "", None

    def follow_quietly(self, run: Run, host: "subprocess.Popen[bytes] | None" = None) -> None:
        """Keep reading a run's journal, and bring it into view once it was read."""
        self._followed = run.id
        self._read_journal(run, host)

    @work(thread=True, group="follow", exit_on_error=False, description="follow the run's journal")
    def _read_journal(self, run: Run, host: "subprocess.Popen[bytes] | None") -> None:
        worker = get_current_worker()
        glimpses = GlimpseReader(run)
        view = RunView(run, recipe=recipe_of(run), guessing=guessing_loss(run))
        try:
            for reading in follow(run, host=host, to_its_end=False):
                if worker.is_cancelled:
                    return
                if reading.caught_up and (now := read_on(view, reading, glimpses.read())) != view:
                    view = now
                    read = RunRead(view)
                    self.post_message(read)
                    while not (read.taken.wait(TAKEN_SECONDS) or worker.is_cancelled):
                        pass  # screens that are stuck in drawing; what is told meanwhile is read at once afterwards
        except (CifartuiError, OSError) as error:
            self.post_message(RunRead(msgspec.structs.replace(view, problem=str(failure(error)))))

    def on_run_read(self, message: RunRead) -> None:
        message.taken.set()
        if message.view.run.id == self._followed:
            self.run_view = message.view
