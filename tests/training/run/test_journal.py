"""The journal: numbered without gaps, whole lines only, torn and damaged lines told apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifartui.errors import DataError
from cifartui.training.run.controls import ControlInbox, Pause, Resume, SaveCheckpoint, Stop, send
from cifartui.training.run.events import (
    AnyEvent,
    LineDamaged,
    LossLogged,
    RunFinished,
    StateChanged,
    StepsReported,
    Warned,
)
from cifartui.training.run.journal import Journal, JournalReader
from cifartui.training.run.lines import PIECE_BYTES, append_line


def test_events_come_back_numbered_and_timed(tmp_path: Path) -> None:
    """What was appended is read once, in order; NaN travels as null."""
    path = tmp_path / "events.jsonl"
    journal, reader = Journal(path), JournalReader(path)
    for batch in (1, 2):
        journal.append(LossLogged(epoch=1, batch=batch, loss=2.5))
    first = reader.read_new()
    assert [event.seq for event in first] == [0, 1]
    assert reader.read_new() == []
    journal.append(LossLogged(epoch=1, batch=3, loss=None))
    (third,) = reader.read_new()
    assert isinstance(third, LossLogged)
    assert (third.seq, third.loss, third.line) == (2, None, "[1,     3] loss: nan")
    assert '"type":"LossLogged","seq":2' in path.read_text().splitlines()[2]


def test_log_line_has_the_tutorials_format() -> None:
    """Five columns for the batch, three decimals for the loss."""
    assert LossLogged(epoch=1, batch=2000, loss=2.1049).line == "[1,  2000] loss: 2.105"


def test_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    """Half a line is no event; it becomes one when the rest arrives."""
    path = tmp_path / "events.jsonl"
    Journal(path).append(LossLogged(epoch=1, batch=1, loss=1.0))
    line = path.read_bytes()
    path.write_bytes(line + line[:20])
    reader = JournalReader(path)
    assert len(reader.read_new()) == 1
    path.write_bytes(line + line)
    assert len(reader.read_new()) == 1


GOOD = '{"type":"LossLogged","epoch":1,"batch":%d,"loss":1.0}'
RUBBISH = ["{}", "not json", '{"type":"LossLogged","seq":"x"}', "[" * 100_000, "\x1b[2J", '{"type":3}']
IMPOSSIBLE = [
    '{"type":"Evaluated","step":1,"epoch":1,"images":0,"correct":0,"loss":null}',
    '{"type":"CheckpointSaved","step":-1,"epoch":1,"file":"f","bytes":1}',
]


def _batches(events: list[AnyEvent]) -> list[int]:
    return [event.batch for event in events if isinstance(event, LossLogged)]


def _damaged(events: list[AnyEvent]) -> list[int]:
    return [event.line for event in events if isinstance(event, LineDamaged)]


@pytest.mark.parametrize("damage", RUBBISH + IMPOSSIBLE)
def test_damage_in_the_middle_costs_its_lines_and_is_told_once(tmp_path: Path, damage: str) -> None:
    """What stands before and after is read; two bad lines in a row are one damage."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join((GOOD % 1, damage, damage, GOOD % 2, "")))
    reader = JournalReader(path)
    events = reader.read_new()
    assert _batches(events) == [1, 2]
    assert _damaged(events) == [2]
    sentences = [event.sentence for event in events if isinstance(event, LineDamaged)]
    assert "line 2 of the journal is damaged" in sentences[0]
    assert "\x1b" not in sentences[0]
    assert reader.read_new() == []


@pytest.mark.parametrize(
    "tail", ["\0" * 4096, "\0" * 4096 + "\n", "not json\n", '{"type":"Loss', '{"type":"Loss\n\0\0\n']
)
def test_what_a_power_cut_leaves_at_the_end_is_no_damage(tmp_path: Path, tail: str) -> None:
    """Zero bytes and torn lines at the very end are cut off, in one reading and when they come later."""
    path = tmp_path / "events.jsonl"
    path.write_text(f"{GOOD % 1}\n{tail}")
    assert _batches(JournalReader(path).read_new()) == [1]
    assert _damaged(JournalReader(path).read_new()) == []


def test_damage_is_told_as_soon_as_something_follows_it(tmp_path: Path) -> None:
    """A follower that read a bad last line hears of it with the next event."""
    path = tmp_path / "events.jsonl"
    path.write_text(f"{GOOD % 1}\nrubbish\n")
    reader = JournalReader(path)
    assert _damaged(reader.read_new()) == []
    with path.open("a") as file:
        file.write(f"{GOOD % 2}\n")
    events = reader.read_new()
    assert (_damaged(events), _batches(events)) == ([2], [2])


def test_journal_without_one_readable_line_is_damaged(tmp_path: Path) -> None:
    """Nothing to cut the tail from."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" * 10)
    assert _damaged(JournalReader(path).read_new()) == [1]


def test_lines_of_a_newer_version_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    """Unknown events, empty lines, lines ended by CR LF, zero bytes before a line."""
    path = tmp_path / "events.jsonl"
    newer = '{"type":"GradientsReported","seq":1,"norms":[1.0,{"a":null}]}'
    path.write_bytes("\n".join((f"{GOOD % 1}\r", newer, "", "  ", f"\0\0{GOOD % 2}\r", f"{newer}\r", "")).encode())
    reader = JournalReader(path)
    assert _batches(reader.read_new()) == [1, 2]
    with path.open("ab") as file:
        file.write(f"{GOOD % 3}\r\n".encode())
    events = reader.read_new()
    assert (_batches(events), _damaged(events)) == ([3], [])


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_journal_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A pipe is not waited for, a device not read; the sentence says what is there."""
    path = tmp_path / "events.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=rf"events\.jsonl cannot be read: it is a {kind}, not a file"):
        JournalReader(path).read_new()


def limited(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python code in which files end at `limit(bytes)`, as they do on a full disk, until `limit(-1)`."""
    head = (
        "import resource, signal, sys, time\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "def limit(size): resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + program, *arguments], capture_output=True, text=True, check=True
    )


def test_what_a_full_disk_does_not_take_is_written_later(tmp_path: Path) -> None:
    """Events wait in memory, whole lines stand on disk; with room again all follow in order, and a warning."""
    path = tmp_path / "events.jsonl"
    program = (
        "from cifartui.training.run.events import LossLogged\n"
        "from cifartui.training.run.journal import Journal\n"
        "limit(1000)\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for batch in range(100): journal.append(LossLogged(epoch=1, batch=batch, loss=None))\n"
        "print(journal.wait_until_written(0.1), Path(sys.argv[1]).read_bytes().count(b'\\n'))\n"
        "limit(-1)\n"
        "print(journal.wait_until_written(10))\n"
    )
    ended = limited(program, str(path))
    obstacle, lines = ended.stdout.splitlines()[0].rsplit(" ", 1)
    assert "the file would be larger than this account may write" in obstacle
    assert 5 < int(lines) < 15
    assert ended.stdout.splitlines()[1] == ""
    events = JournalReader(path).read_new()
    assert [event.seq for event in events] == list(range(101))
    assert _batches(events) == list(range(100))
    assert isinstance(events[-1], Warned)
    assert events[-1].message.startswith("the journal could not be written for ")


def test_what_waits_for_a_full_disk_is_bounded(tmp_path: Path) -> None:
    """Reports are dropped first, then log lines; what counts most is kept, and numbers have no gap."""
    path = tmp_path / "events.jsonl"
    program = (
        "from cifartui.training.run import journal as journals\n"
        "from cifartui.training.run.events import LossLogged, RunFinished, StateChanged, StepsReported\n"
        "journals.WAITING_EVENTS = 20\n"
        "limit(0)\n"
        "journal = journals.Journal(Path(sys.argv[1]))\n"
        "journal.append(StateChanged(state='running'))\n"
        "for step in range(100):\n"
        "    journal.append(StepsReported(step=step, epoch=1, loss=1, running_loss=1, accuracy=1, learning_rate=1,"
        " images_per_second=1))\n"
        "    if step % 10 == 0: journal.append(LossLogged(epoch=1, batch=step, loss=1))\n"
        "journal.append(RunFinished(reason='finished'))\n"
        "limit(-1)\n"
        "assert journal.wait_until_written(10) == ''\n"
    )
    limited(program, str(path))
    events = JournalReader(path).read_new()
    assert [event.seq for event in events] == list(range(21))
    assert isinstance(events[0], StateChanged)
    assert isinstance(events[-2], RunFinished)
    assert _batches(events) == list(range(0, 100, 10))
    assert [event.step for event in events if isinstance(event, StepsReported)][-1] == 99


def test_line_is_not_half_written_to_a_full_device() -> None:
    """The error of a full device reaches the caller."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match=r"No space left|Invalid argument"):
            append_line(descriptor, b"{}")
    finally:
        os.close(descriptor)


def test_controls_are_read_once_and_rubbish_is_reported(tmp_path: Path) -> None:
    """Commands arrive in order with their ids; a line that is none is told and passed over."""
    path = tmp_path / "controls.jsonl"
    inbox = ControlInbox(path)
    assert inbox.read_new() == ([], "")
    sent = [send(path, Pause()), send(path, Resume())]
    assert inbox.read_new() == (sent, "")
    before = send(path, SaveCheckpoint())
    with path.open("a") as file:
        file.write('{"id":"1","command":"format the disk","time":0}\r\n')
    after = send(path, Stop())
    controls, problem = inbox.read_new()
    assert controls == [before, after]
    assert "line 4 of controls.jsonl is no command" in problem
    last = send(path, Stop())
    assert inbox.read_new() == ([last], "")


def test_controls_that_are_no_file_are_told_once(tmp_path: Path) -> None:
    """A pipe in their place holds nobody up, and the signal that stops still counts."""
    path = tmp_path / "controls.jsonl"
    os.mkfifo(path)
    inbox = ControlInbox(path)
    controls, problem = inbox.read_new()
    assert (controls, "it is a pipe, not a file" in problem) == ([], True)
    inbox.ask_to_stop()
    controls, problem = inbox.read_new()
    assert ([control.command for control in controls], problem) == (["stop"], "")


def _journal_of(path: Path, events: int) -> list[bytes]:
    """Write a journal of log lines; return its lines."""
    journal = Journal(path)
    for batch in range(events):
        journal.append(LossLogged(epoch=1, batch=batch, loss=2.5))
    return path.read_bytes().splitlines(keepends=True)


def test_journal_goes_on_wherever_its_last_line_was_torn(tmp_path: Path) -> None:
    """Every possible cut of the last line: the torn part is cut off, numbers go on without gap or double."""
    path = tmp_path / "events.jsonl"
    lines = _journal_of(path, 3)
    for kept in range(len(lines[2]) + 1):
        path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
        Journal(path).append(StateChanged(state="starting"))
        events = JournalReader(path).read_new()
        whole = 3 if kept == len(lines[2]) else 2
        assert [event.seq for event in events] == list(range(whole + 1))
        assert _damaged(events) == []
        assert path.read_bytes().startswith(b"".join(lines[:whole]) + b'{"type":"StateChanged"')


@pytest.mark.parametrize(
    "tail",
    [
        b"\0" * 4096,
        b"\0" * 200_000 + b"\n",
        b"\0" * (PIECE_BYTES + 200_000),
        b"\n\n  \r\n",
        b'{"type":"LossLogged","seq":"three"}\n',
        b'{"type":"Loss\n\0\0\n{"ty',
        b"x" * (PIECE_BYTES + 200_000) + b"\n",
    ],
    ids=["zeros", "a line of zeros", "many zeros", "blanks", "rubbish", "torn twice", "an endless line"],
)
def test_what_stands_behind_the_last_readable_line_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    """A follower that has read it all along reads on without a double, and so does one that comes later."""
    path = tmp_path / "events.jsonl"
    lines = b"".join(_journal_of(path, 2))
    path.write_bytes(lines + tail)
    before = JournalReader(path)
    seen = before.read_new()
    while not before.caught_up:
        seen += before.read_new()
    journal = Journal(path)
    journal.append(LossLogged(epoch=1, batch=2, loss=1.0))
    assert path.read_bytes().startswith(lines + b'{"type":"LossLogged","seq":2')
    while len(seen) < 3:
        seen += before.read_new()
    assert seen == JournalReader(path).read_new()
    assert _batches(seen) == [0, 1, 2]


def test_journal_goes_on_after_lines_of_other_kinds(tmp_path: Path) -> None:
    """CR LF, an event of a newer version, and rubbish in the middle stay; rubbish alone does not."""
    path = tmp_path / "events.jsonl"
    numbered = '{"type":"LossLogged","seq":%d,"epoch":1,"batch":1,"loss":1.0}'
    newer = '{"type":"GradientsReported","seq":5,"norms":[]}'
    for content, end, seq in (
        (f"{numbered % 4}\r\n", f"{numbered % 4}\r\n", 5),
        (f"{numbered % 4}\nrubbish\n{newer}\nrubbish\n", f"{numbered % 4}\nrubbish\n{newer}\n", 6),
        ("rubbish\n", "", 0),
        ("", "", 0),
    ):
        path.write_bytes(content.encode())
        Journal(path).append(StateChanged(state="starting"))
        assert path.read_bytes().decode().startswith(f'{end}{{"type":"StateChanged","seq":{seq},')


def test_journal_does_not_go_on_in_what_is_none(tmp_path: Path) -> None:
    """A pipe is not waited for, a file that may not be written stays as it is."""
    path = tmp_path / "events.jsonl"
    os.mkfifo(path)
    with pytest.raises(OSError, match="it is a pipe, not a file"):
        Journal(path)
    path.unlink()
    path.write_bytes(b'{"type":"Loss')
    path.chmod(0o400)
    if os.geteuid() == 0:  # root may write whatever it says
        return
    with pytest.raises(PermissionError):
        Journal(path)
    assert path.read_bytes() == b'{"type":"Loss'


def test_long_journal_is_read_in_pieces(tmp_path: Path) -> None:
    """No call reads more than a piece, no event is lost where two pieces meet, an overlong line is one damage."""
    path = tmp_path / "events.jsonl"
    lines = b"".join(_journal_of(path, 3))
    endless = b"y" * (2 * PIECE_BYTES)
    many = PIECE_BYTES // len(lines) * 2
    path.write_bytes(lines * many + endless + b"\n" + lines)
    reader, calls = JournalReader(path), []
    while not (calls and reader.caught_up):
        calls.append(reader.read_new())
    assert max(map(len, calls)) <= PIECE_BYTES / (len(lines) / 3) + 1
    events = [event for call in calls for event in call]
    assert _batches(events) == [0, 1, 2] * (many + 1)
    assert _damaged(events) == [3 * many + 1]
    assert "longer than 4 MiB" in next(event.reason for event in events if isinstance(event, LineDamaged))
