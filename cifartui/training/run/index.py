"""The history of a run with an index beside its journal, so that a look at a long one does not read all of it.

`index.json` holds the fold so far and where in the journal it ends. It can be thrown away at any time: one that is
garbled, of another version or of another journal is passed over, and the journal is read in full.
"""

import os
import threading
from contextlib import suppress

import msgspec

from cifartui.errors import DataError
from cifartui.files import open_file, write_durably
from cifartui.training.run.events import AnyEvent
from cifartui.training.run.folder import Run
from cifartui.training.run.folding import FOLD_VERSION, fold
from cifartui.training.run.history import RunHistory
from cifartui.training.run.journal import JournalReader
from cifartui.training.run.lines import BEGINNING, Place

INDEX_BYTES = 1024 * 1024
"""The index is written again when the journal has grown by so much."""

_writing = threading.Lock()


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    version: int
    place: Place
    """Up to where the journal is folded, with the line before it: another journal has another one."""
    history: RunHistory


def read_index(run: Run) -> Index | None:
    """The index of a run's journal; None where there is none that belongs to it."""
    try:
        with open_file(run.index_file) as file:
            index = msgspec.json.decode(file.read(), type=Index)
        offset, _, line = index.place
        with open_file(run.journal_file) as file:
            file.seek(offset - len(line))
            belongs = bool(line) and file.read(len(line)) == line
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return index if belongs and index.version == FOLD_VERSION else None


def write_index(run: Run, history: RunHistory, place: Place) -> None:
    """Write the index of a run's journal: its fold as far as `place`, which is behind a line that could be read.

    Raises:
        OSError: it cannot be written.
    """
    index = Index(FOLD_VERSION, place, history)
    with _writing:  # the temporary file is the process's
        write_durably(run.index_file, msgspec.json.encode(index))


class HistoryReader:
    """A run's journal, read and folded as far as it goes."""

    def __init__(self, run: Run, *, first: int | None = None) -> None:
        """`first` is the number of the first event that is wanted from `read_new`; None for no certain one."""
        self._run = run
        index = None if first == 0 else read_index(run)
        if index and first is not None and index.history.length > first:
            index = None
        self.history = index.history if index else RunHistory()
        self._journal = JournalReader(run.journal_file, index.place if index else BEGINNING)
        self._indexed = self._journal.place.offset

    @property
    def caught_up(self) -> bool:
        """Whether nothing was left to read at the last call."""
        return self._journal.caught_up

    def read_new(self) -> list[AnyEvent]:
        """Take the next events written since the last call into the history and return them.

        Raises:
            DataError: there is no file in the journal's place, or it may not be read.
        """
        events = self._journal.read_new()
        if events:
            self.history = fold(self.history, events)
        return events

    def read_on(self) -> None:
        """Read as far as the journal goes.

        Raises:
            DataError: there is no file in the journal's place, or it may not be read.
        """
        self.read_new()
        while not self.caught_up:
            self.read_new()

    def keep_index(self, least_growth: int = INDEX_BYTES) -> None:
        """Write the index if that is possible and what was read since it was written last is so many bytes."""
        place = self._journal.place
        if place.offset - self._indexed >= max(1, least_growth):
            self._indexed = place.offset
            with suppress(OSError):
                write_index(self._run, self.history, place)


class Indexer:
    """Keeps the index of a run's journal, for the process that writes the journal."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reader: HistoryReader | None = None
        self._tried_at = 0
        """The journal's size when the index was written last, or could not be."""

    def keep_up(self) -> None:
        """Write the index if the journal has grown enough; a look that costs microseconds, to be taken often."""
        with suppress(OSError):
            size = os.stat(self._run.journal_file).st_size
            if size - self._tried_at >= INDEX_BYTES:
                self._tried_at = size
                self.write()

    def write(self) -> None:
        """Write the index as far as the journal goes, if that is possible."""
        with suppress(DataError):
            self._reader = self._reader or HistoryReader(self._run)
            self._reader.read_on()
            self._reader.keep_index(1)
