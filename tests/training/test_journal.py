"""The journal: numbered without gaps, whole lines only, torn and damaged lines told apart."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifartui.errors import DataError
from cifartui.training.controls import ControlInbox, send
from cifartui.training.events import LossLogged, StepsReported
from cifartui.training.journal import Journal, append_line, journal_reader


def test_events_come_back_numbered_and_timed(tmp_path: Path) -> None:
    """What was appended is read once, in order; NaN travels as null."""
    path = tmp_path / "events.jsonl"
    journal, reader = Journal(path), journal_reader(path)
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
    reader = journal_reader(path)
    assert len(reader.read_new()) == 1
    path.write_bytes(line + line)
    assert len(reader.read_new()) == 1


@pytest.mark.parametrize(
    "damage", ["{}", "not json", '{"type":"Unheard"}', "\x00\x00", '{"type":"LossLogged","seq":"x"}']
)
def test_damaged_line_is_named(tmp_path: Path, damage: str) -> None:
    """A whole line that is no event is an error that names file and line."""
    path = tmp_path / "events.jsonl"
    Journal(path).append(LossLogged(epoch=1, batch=1, loss=1.0))
    path.write_text(path.read_text() + damage + "\n")
    with pytest.raises(DataError, match=r"events\.jsonl is damaged at line 2"):
        journal_reader(path).read_new()


def test_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """A line that does not fit is taken back, so the journal ends with a whole one (a limit stands in for the disk)."""
    path = tmp_path / "events.jsonl"
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from cifartui.training.events import Warned\n"
        "from cifartui.training.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "try:\n"
        "    while True:\n"
        "        journal.append(Warned(message='x' * 150))\n"
        "except OSError as error:\n"
        "    sys.exit(error.errno)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == errno.EFBIG
    assert len(journal_reader(path).read_new()) == 4
    assert path.read_bytes().endswith(b"\n")


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
    sent = [send(path, "pause"), send(path, "resume")]
    assert inbox.read_new() == (sent, "")
    with path.open("a") as file:
        file.write('{"id":"1","command":"format the disk","time":0}\n')
    controls, problem = inbox.read_new()
    assert controls == []
    assert "is damaged at line 3" in problem
    after = send(path, "stop")
    assert inbox.read_new() == ([after], "")


def test_steps_report_says_when_the_loss_is_not_finite() -> None:
    """NaN has no place in JSON: null and a flag stand for it."""
    event = StepsReported(
        step=1,
        epoch=1,
        loss=None,
        running_loss=None,
        accuracy=0.1,
        learning_rate=1.0,
        images_per_second=1.0,
        finite=False,
    )
    assert (event.loss, event.finite) == (None, False)
