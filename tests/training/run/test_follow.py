"""Reading a run: from its index, to its end and beyond, and what comes of a command."""

import os
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError
from cifartui.training.run import follow as following
from cifartui.training.run import index as indexes
from cifartui.training.run.controls import Control, ControlInbox, SaveCheckpoint, TakeSteps
from cifartui.training.run.events import (
    AnyEvent,
    ControlAcknowledged,
    ControlDone,
    ControlRefused,
    LossLogged,
    RunFinished,
    StateChanged,
)
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.folding import fold
from cifartui.training.run.follow import Reading, command, command_and_wait, follow, read_history
from cifartui.training.run.history import RunHistory
from cifartui.training.run.index import HistoryReader, Indexer, read_index
from cifartui.training.run.journal import Journal, JournalReader
from tests.training.running import plan, run_started


@pytest.fixture
def run(sketches: DatasetFacts) -> Run:
    """A run's folder, with a journal that has begun."""
    run = create_run(plan(sketches.name))
    journal = Journal(run.journal_file)
    for event in (StateChanged(state="starting"), run_started(), StateChanged(state="running")):
        journal.append(event)
    return run


def log(journal: Journal, batches: range) -> None:
    for batch in batches:
        journal.append(LossLogged(epoch=1, batch=batch, loss=1.0))


def seqs(reading: Reading) -> list[int]:
    return [event.seq for event in reading.events]


def test_run_taken_up_again_is_followed_beyond_its_first_end(run: Run) -> None:
    """An end is the end only while nobody carries the run; a later start clears it."""
    journal = Journal(run.journal_file)
    with run.lock():
        journal.append(RunFinished(reason="stopped"))
        journal.append(StateChanged(state="starting"))
        journal.append(run_started(step=20))
        readings = follow(run, first=0)
        reading = next(readings)
        assert (reading.state, reading.history.finished, reading.history.step) == ("starting", None, 20)
        journal.append(StateChanged(state="running"))
        reading = next(readings)
        assert (reading.state, len(reading.events)) == ("running", 1)
        journal.append(RunFinished(reason="finished"))
    rest = list(readings)
    assert rest[-1].state == "finished"
    assert [len(reading.events) for reading in rest] == [1]


def test_following_for_ever_sees_a_run_taken_up_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was killed is interrupted, and starts again for whoever still looks."""
    monkeypatch.setattr(following, "POLL_SECONDS", 0.0)
    readings = follow(run, to_its_end=False)
    assert [next(readings).state for _ in range(3)] == ["interrupted"] * 3
    journal = Journal(run.journal_file)
    with run.lock():
        journal.append(StateChanged(state="queued"))
        reading = next(readings)
    assert (reading.state, len(reading.events)) == ("queued", 1)
    assert next(readings).state == "interrupted"


def test_events_are_given_from_a_number_on(run: Run) -> None:
    """All from 0, those from a number, by default none that were there; the history has all of them."""
    log(Journal(run.journal_file), range(1, 5))
    for first, expected in ((0, list(range(7))), (5, [5, 6]), (None, [])):
        readings = list(follow(run, first=first))
        assert [seq for reading in readings for seq in seqs(reading)] == expected
        assert readings[-1].history.length == 7


class Waiting:
    """A process that was started and has not taken the run up yet."""

    code: int | None = None

    def poll(self) -> int | None:
        return self.code


def test_host_that_was_started_is_waited_for(run: Run) -> None:
    """Until it takes the run up, or ends without."""
    host = Waiting()
    readings = follow(run, host=host)
    assert next(readings).state == "starting"
    with run.lock():
        assert next(readings).state == "running"
    assert next(readings).state == "interrupted"
    host = Waiting()
    readings = follow(run, host=host)
    next(readings)
    host.code = 1
    assert [reading.state for reading in readings] == ["interrupted"]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of some hundred bytes is long."""
    monkeypatch.setattr("cifartui.training.run.lines.PIECE_BYTES", 500)
    monkeypatch.setattr(indexes, "INDEX_BYTES", 400)
    monkeypatch.setattr(following, "LONG_READING", 1_000)


def whole(run: Run) -> RunHistory:
    """Folded in one go from the beginning."""
    reader = JournalReader(run.journal_file)
    events: list[AnyEvent] = reader.read_new()
    while not reader.caught_up:
        events += reader.read_new()
    return fold(RunHistory(), events)


@pytest.mark.usefixtures("small_pieces")
def test_index_is_kept_by_the_writer_and_read_by_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader begins where the index ends; what it comes to is what the whole journal says."""
    journal, indexer = Journal(run.journal_file), Indexer(run)
    lengths = []
    for batch in range(1, 41):
        journal.append(LossLogged(epoch=1, batch=batch, loss=1.0))
        indexer.keep_up()
        index = read_index(run)
        lengths.append(index.history.length if index else 0)
    assert lengths == sorted(lengths)
    assert 2 < len(set(lengths)) < 20  # now and then
    assert 0 < lengths[-1] <= 43
    assert read_history(run)[0] == whole(run)
    indexer.write()
    index = read_index(run)
    assert index is not None
    assert index.history == whole(run)
    assert HistoryReader(run).read_new() == []
    assert len(HistoryReader(run, first=0).read_new()) > 1
    late = HistoryReader(run, first=5)  # earlier than the index
    late.read_on()
    assert late.history == whole(run)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("read", [read_history, lambda run: list(follow(run))], ids=["read", "follow"])
def test_reader_of_a_long_journal_leaves_an_index(run: Run, read: Callable[[Run], object]) -> None:
    """Only of one that took long; the next reads the rest."""
    read(run)
    assert not run.index_file.exists()
    log(Journal(run.journal_file), range(1, 41))
    read(run)
    index = read_index(run)
    assert index is not None
    assert index.history == read_history(run)[0] == whole(run)


def spoil_journal(run: Run) -> None:
    """Another journal in its place, as long."""
    content = run.journal_file.read_bytes()
    run.journal_file.write_bytes(content.replace(b'"loss":1.0', b'"loss":2.0'))


SPOILERS: dict[str, Callable[[Run], object]] = {
    "gone": lambda run: run.index_file.unlink(),
    "empty": lambda run: run.index_file.write_bytes(b""),
    "cut": lambda run: os.truncate(run.index_file, run.index_file.stat().st_size // 2),
    "rubbish": lambda run: run.index_file.write_bytes(b"\x89PNG\r\n" * 100),
    "other version": lambda run: run.index_file.write_bytes(
        run.index_file.read_bytes().replace(b'{"version":', b'{"version":9')
    ),
    "huge place": lambda run: run.index_file.write_bytes(
        msgspec.json.encode(msgspec.json.decode(run.index_file.read_bytes()) | {"place": [2**62, 1, "eA=="]})
    ),
    "place before the beginning": lambda run: run.index_file.write_bytes(
        msgspec.json.encode(msgspec.json.decode(run.index_file.read_bytes()) | {"place": [0, 1, "eA=="]})
    ),
    "folder": lambda run: (run.index_file.unlink(), run.index_file.mkdir()),
    "pipe": lambda run: (run.index_file.unlink(), os.mkfifo(run.index_file)),
    "another journal": spoil_journal,
    "a shorter journal": lambda run: os.truncate(run.journal_file, run.journal_file.stat().st_size - 100),
    "nested": lambda run: run.index_file.write_bytes(b"[" * 100_000),
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS.keys())
def test_index_that_is_none_of_this_journal_is_passed_over(run: Run, spoil: Callable[[Run], object]) -> None:
    """The journal is read in full then."""
    log(Journal(run.journal_file), range(1, 41))
    Indexer(run).write()
    assert read_index(run) is not None
    spoil(run)
    assert read_index(run) is None
    assert read_history(run)[0] == whole(run)


def test_index_that_cannot_be_written_keeps_nobody(run: Run) -> None:
    """Neither the writer of the journal nor its readers."""
    run.index_file.mkdir()
    indexer = Indexer(run)
    indexer.write()
    log(Journal(run.journal_file), range(1, 5))
    indexer.write()
    assert read_history(run)[0] == whole(run)


Answering = Callable[[Control], Iterator[AnyEvent]]


@pytest.fixture
def answered(run: Run) -> Iterator[Callable[[Answering], None]]:
    """Let a thread carry the run and answer its commands."""
    ended = threading.Event()
    threads = []

    def carry(answer: Answering, ready: threading.Event) -> None:
        journal, inbox = Journal(run.journal_file), ControlInbox(run.controls_file)
        with run.lock():
            ready.set()
            while not ended.is_set():
                for control in inbox.read_new()[0]:
                    for event in answer(control):
                        journal.append(event)
                time.sleep(0.01)

    def start(answer: Answering) -> None:
        ready = threading.Event()
        threads.append(threading.Thread(target=carry, args=(answer, ready)))
        threads[-1].start()
        ready.wait()

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def taken(control: Control) -> AnyEvent:
    return ControlAcknowledged(control=control.id, command=control.command, step=5)


def test_command_is_answered_when_it_is_taken_or_when_it_is_done(
    run: Run, answered: Callable[[Answering], None]
) -> None:
    """The two ways to wait, and answers to others between."""

    def answer(control: Control) -> Iterator[AnyEvent]:
        yield ControlDone(control="another", command="step", step=4)
        yield taken(control)
        time.sleep(0.2)
        yield ControlDone(control=control.id, command=control.command, step=8)

    answered(answer)
    assert isinstance(command(run, TakeSteps(steps=3)), ControlAcknowledged)
    done = command_and_wait(run, TakeSteps(steps=3))
    assert isinstance(done, ControlDone)
    assert done.step == 8


def test_refusal_is_an_error_with_its_reason(run: Run, answered: Callable[[Answering], None]) -> None:
    """Before it is taken, or after."""

    def answer(control: Control) -> Iterator[AnyEvent]:
        if not isinstance(control, SaveCheckpoint):
            yield taken(control)
        yield ControlRefused(control=control.id, command=control.command, step=5, reason="The run is not paused.")

    answered(answer)
    for wait in (command, command_and_wait):
        with pytest.raises(CifartuiError, match="The run is not paused"):
            wait(run, SaveCheckpoint())
    with pytest.raises(CifartuiError, match="The run is not paused"):
        command_and_wait(run, TakeSteps())


def test_run_that_ends_first_is_an_answer(run: Run, answered: Callable[[Answering], None]) -> None:
    """Also for who waits until it is done."""

    def answer(control: Control) -> Iterator[AnyEvent]:
        yield taken(control)
        yield RunFinished(reason="stopped")

    answered(answer)
    assert isinstance(command_and_wait(run, SaveCheckpoint()), RunFinished)
