"""Durable writing: a file whole or not at all, and never in the place of a device, a pipe or a link."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cifartui.files import durably, open_file, write_durably

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices and gives files away")


@AS_ROOT
@pytest.mark.parametrize("through_link", [False, True])
def test_device_is_written_through(tmp_path: Path, through_link: bool) -> None:
    """A device keeps kind, number, mode and owner; nothing else appears beside it."""
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o622, os.makedev(1, 3))
    os.chown(device, 12, 34)
    target = device
    if through_link:
        target = tmp_path / "link"
        target.symlink_to(device)
    before, names = device.stat(), sorted(tmp_path.iterdir())
    write_durably(target, b"x" * 100_000)
    after = device.stat()
    fields = ("st_ino", "st_mode", "st_rdev", "st_uid", "st_gid")
    assert [getattr(after, field) for field in fields] == [getattr(before, field) for field in fields]
    assert sorted(tmp_path.iterdir()) == names


def test_full_device_is_an_error_and_stays() -> None:
    """What a device cannot take is the caller's to hear."""
    with pytest.raises(OSError, match="No space left"):
        write_durably(Path("/dev/full"), b"x" * 100_000)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_pipe_gets_the_bytes(tmp_path: Path) -> None:
    """A reader at the other end of a named pipe reads all of it; the pipe stays."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with durably(pipe) as temporary:
        temporary.write_bytes(b"abc" * 50_000)
    reader.join(10)
    assert read == [b"abc" * 50_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_written_to_whatever_it_is(tmp_path: Path, target: str) -> None:
    """Into a pipe, and behind what a file holds already."""
    program = "import sys; from pathlib import Path; from cifartui.files import write_durably\n"
    program += "write_durably(Path(sys.argv[1]), b'weights')"
    command = [sys.executable, "-c", program, target]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"weights"
    file = tmp_path / "log"
    file.write_bytes(b"before ")
    with file.open("ab") as stdout:
        subprocess.run(command, check=True, stdout=stdout)
    assert file.read_bytes() == b"before weights"


@pytest.mark.parametrize("dangling", [False, True])
def test_link_stays_and_what_it_names_is_written(tmp_path: Path, dangling: bool) -> None:
    """A link in another folder, its target there or not yet."""
    (tmp_path / "elsewhere").mkdir()
    place, link = tmp_path / "elsewhere" / "net.pth", tmp_path / "link.pth"
    if not dangling:
        place.write_bytes(b"old")
    link.symlink_to("elsewhere/net.pth")
    write_durably(link, b"new")
    assert os.readlink(link) == "elsewhere/net.pth"
    assert place.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "link.pth", "net.pth"]


def test_link_to_itself_is_an_error(tmp_path: Path) -> None:
    """Links that lead nowhere are told, and stay."""
    link = tmp_path / "loop"
    link.symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        write_durably(link, b"new")
    assert list(tmp_path.iterdir()) == [link]
    assert link.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    """Who may read it stays as it was."""
    target = tmp_path / "net.pth"
    target.write_bytes(b"old")
    target.chmod(mode)
    write_durably(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == mode


@AS_ROOT
def test_file_keeps_its_owner(tmp_path: Path) -> None:
    """Root writes into somebody's file and it stays his."""
    target = tmp_path / "net.pth"
    target.write_bytes(b"old")
    os.chown(target, 12, 34)
    target.chmod(0o640)
    write_durably(target, b"new")
    made = target.stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (12, 34, 0o640)


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """An exception while writing is passed on; leftovers of a killed writer go at the next success."""
    target = tmp_path / "net [1].pth"
    target.write_bytes(b"old")
    with pytest.raises(IsADirectoryError), durably(target) as temporary:  # noqa: PT012  # the body is the subject
        temporary.write_bytes(b"half")
        tmp_path.write_bytes(b"")
    assert target.read_bytes() == b"old"
    (tmp_path / ".net [1].pth.1.part").write_bytes(b"half")
    write_durably(target, b"new")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("kind", "words"), [("pipe", "it is a pipe"), ("folder", "it is a folder")])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str, words: str) -> None:
    """Opening a pipe in a file's place is an error at once."""
    path = tmp_path / "events.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OSError, match=words):
        open_file(path)
