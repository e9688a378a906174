"""The slow looks: children that crash or hang, sources that do not answer, a driver that holds whoever asks it."""

import socket
import threading
import time
from pathlib import Path

import msgspec
import pytest

from cifartui.dataset.fetching.archives import Archive
from cifartui.machine import diagnosis
from cifartui.machine.diagnosis import look_at_drivers, look_at_torch
from cifartui.machine.facts import Graphics
from cifartui.machine.reach import PATIENCE, look_at_sources
from cifartui.progress import finish
from tests.dataset.sources import Source, serve

FOUND = '{"type":"Torch","version":"2.14","devices":[{"device":"cpu","name":"A CPU","seconds":0.1}]}'
TRYING = '{"type":"Progress","activity":"trying a GPU","done":0}'


@pytest.mark.parametrize(
    ("ends", "trouble"),
    [
        ("import time; time.sleep(60)", "trying a GPU took longer than 0.4 s"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "trying a GPU ended its process (SIGSEGV"),
        ("raise SystemExit(3)", "trying a GPU ended its process (exit code 3)"),
        ("print('a library speaks')", "something else answered while trying a GPU"),
        ("", ""),
    ],
)
def test_what_torch_does_to_its_process_is_told(program: Path, ends: str, trouble: str) -> None:
    """What it was doing when it hung, crashed or ended; what was found before stays."""
    program.write_text(f"print('''{FOUND}\n{TRYING}''', flush=True)\n{ends}")
    torch = finish(look_at_torch(seconds=0.4))
    assert torch.trouble.startswith(trouble)
    assert bool(torch.trouble) == bool(trouble)
    assert [device.name for device in torch.devices] == ["A CPU"]


def test_driver_that_holds_whoever_asks_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be seen without it is told, with the reason."""
    release = threading.Event()

    def look(*, asks_nvml: bool = True) -> Graphics:
        if asks_nvml:
            release.wait(60)
        return Graphics(driver="550", nvml="" if asks_nvml else "no answer")

    monkeypatch.setattr(diagnosis, "look_at_graphics", look)
    started = time.monotonic()
    assert finish(look_at_drivers(seconds=0.3)) == Graphics(driver="550", nvml="no answer")
    assert time.monotonic() - started < 5
    release.set()


def archive_of(*urls: str) -> Archive:
    return Archive(dataset="cifar10", file="archive.tar.gz", bytes=1_000, sha256="0" * 64, sources=urls)


def test_sources_are_asked_for_their_last_byte_all_at_once() -> None:
    """One that answers and one that never does: both within the limit of one, and hardly a byte is fetched."""
    good, gone = Source(bytes(1_000)), Source(bytes(1_000), statuses=[404])
    silent = socket.create_server(("127.0.0.1", 0))
    silent_url = f"https://127.0.0.1:{silent.getsockname()[1]}/archive.tar.gz"
    with silent, serve(good, gone):
        bounds = msgspec.structs.replace(PATIENCE, answer_seconds=0.6)
        started = time.monotonic()
        answers = finish(look_at_sources([archive_of(good.url, silent_url), archive_of(gone.url)], bounds))
        assert time.monotonic() - started < 5
    assert [(answer.host, answer.files, answer.obstacle) for answer in answers] == [
        ("localhost", 2, "answers 404 Not Found"),
        ("127.0.0.1", 1, "did not answer within 0.6 s"),
    ]
    assert answers[0].seconds is not None
    assert good.asked == ["bytes=999-"]
    assert good.sent == 1
