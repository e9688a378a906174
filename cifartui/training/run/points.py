"""Every point of a run's journal, unthinned: what was reported and judged, without what later became void."""

from bisect import bisect_right
from collections.abc import Iterator

from cifartui.training.run.events import AnyEvent, CheckpointSaved, RunStarted, StepsReported, Validated, WentBack
from cifartui.training.run.folder import Run
from cifartui.training.run.journal import JournalReader

JournalPoint = StepsReported | Validated
Position = tuple[int, int]
"""A step, and the number of an event that tells of it."""


class StandingPoints:
    """The points of a journal as far as it goes now, in its order; it is read twice and never held in memory.

    What came after a checkpoint to which the run went back is void and left out, as from the curves.
    """

    def __init__(self, run: Run) -> None:
        """Read the journal once.

        Raises:
            DataError: there is no file in its place, or it may not be read.
        """
        self._run = run
        self.events = 0
        """Of the whole journal."""
        self._returns: list[tuple[int, Position]] = []
        """The number of each event that went back, and the last position that stands before it."""
        saved: dict[int, int] = {}
        was_started = False
        for event in _events(run):
            self.events = max(self.events, event.seq + 1)
            if isinstance(event, CheckpointSaved):
                saved[event.step] = event.seq
            elif isinstance(event, WentBack) or (isinstance(event, RunStarted) and was_started):
                saved = {step: seq for step, seq in saved.items() if step <= event.step}
                seq = saved.setdefault(event.step, event.seq if event.step else -1)
                self._returns.append((event.seq, (event.step, seq)))
            was_started = was_started or isinstance(event, RunStarted)
        for place in reversed(range(len(self._returns) - 1)):  # what a later return leaves is what stands
            seq, stands = self._returns[place]
            self._returns[place] = seq, min(stands, self._returns[place + 1][1])

    def __iter__(self) -> Iterator[JournalPoint]:
        returned = [seq for seq, _ in self._returns]
        for event in _events(self._run):
            if event.seq >= self.events:  # written meanwhile
                return
            if not isinstance(event, JournalPoint):
                continue
            place = bisect_right(returned, event.seq)
            if place == len(returned) or (event.step, event.seq) <= self._returns[place][1]:
                yield event


def _events(run: Run) -> Iterator[AnyEvent]:
    reader = JournalReader(run.journal_file)
    while not reader.caught_up:
        yield from reader.read_new()
