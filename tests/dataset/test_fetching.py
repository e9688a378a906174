"""Fetching from real https servers that misbehave: whole and verified in the end, or one clear sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cifartui.dataset.fetching import archives, download
from cifartui.dataset.fetching.archives import archives_of, load_archives
from cifartui.dataset.fetching.bounds import BOUNDS
from cifartui.dataset.fetching.fetch import fetch_dataset
from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts, prepared_names
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.progress import Progress, finish
from tests.conftest import noise
from tests.dataset.sources import Source, serve, table
from tests.dataset.test_importing import pack_tar
from tests.dataset.test_official import write_python

REFETCHED = 1_000_000
"""At most so many bytes may come twice after a drop."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """CIFAR-10's python archive with few images in each batch; noise, so that it does not shrink."""
    return pack_tar(write_python(tmp_path_factory.mktemp("official"), images=200), ".tar.gz").read_bytes()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stalls and rests are short, so that the tests are."""
    shortened = msgspec.structs.replace(
        BOUNDS, stall_seconds=1.0, slow_seconds=1.0, probe_seconds=0.3, others_seconds=1.0, back_off_seconds=0.2
    )
    monkeypatch.setattr(archives, "BOUNDS", shortened)


def fetch(home: Path, content: bytes, *sources: Source) -> DatasetFacts:
    """Fetch from these sources and check that everything arrived and nothing is left over."""
    with serve(*sources):
        table(home, content, tuple(source.url for source in sources))
        facts = finish(fetch_dataset("cifar10"))
    assert facts.train == 5 * 200
    expected = np.concatenate([noise(200, seed=seed).images for seed in range(5)])
    assert np.array_equal(load_image_set("cifar10", "train").images.numpy(), expected)
    assert list((home / "downloads").iterdir()) == []
    return facts


def refuse(home: Path, content: bytes, *sources: Source) -> str:
    """Fetch in vain; return the sentence. Nothing is prepared."""
    with serve(*sources):
        table(home, content, tuple(source.url for source in sources))
        with pytest.raises(DataError) as caught:
            finish(fetch_dataset("cifar10"))
    assert prepared_names() == []
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_good_source(home: Path, archive: bytes) -> None:
    """One request, every byte once, progress in bytes with a rate, then images."""
    source = Source(archive, slow_from=0, slow_rate=8_000_000)
    with serve(source):
        table(home, archive, (source.url,))
        reports = list(_reports(home))
    assert source.sent == len(archive)
    fetched = [report for report in reports if report.activity == "fetching from localhost"]
    assert fetched[-1].total == len(archive)
    assert fetched[-1].unit == "bytes"
    assert fetched[-1].per_second
    assert [report.done for report in fetched] == sorted(report.done for report in fetched)


def _reports(home: Path) -> Iterator[Progress]:
    yield from fetch_dataset("cifar10")


@pytest.mark.parametrize("tenth", range(1, 10))
def test_drop_is_resumed_from_the_last_byte(home: Path, archive: bytes, tenth: int) -> None:
    """After a drop the rest is asked for, and at most 1 MB comes twice."""
    source = Source(archive, drops=[len(archive) * tenth // 10])
    fetch(home, archive, source)
    assert source.sent <= len(archive) + REFETCHED
    assert source.asked[1].startswith("bytes=")


def test_many_drops_and_stalls(home: Path, archive: bytes) -> None:
    """Hang-ups at every tenth and silence at the half do not keep the archive from arriving."""
    size = len(archive)
    source = Source(archive, drops=[size * tenth // 10 for tenth in (1, 2, 3, 4, 6, 7, 8, 9)], stalls=[size // 2])
    fetch(home, archive, source)
    assert source.sent <= size + REFETCHED


def test_resume_in_another_process(home: Path, archive: bytes) -> None:
    """What came before the fetch was cut short is not fetched again."""
    source = Source(archive, slow_from=0, slow_rate=8_000_000)
    with serve(source):
        table(home, archive, (source.url,))
        work = fetch_dataset("cifar10")
        while next(work).done < len(archive) // 2:
            pass
        work.close()
        have = (home / "downloads" / "archive.tar.gz.part").stat().st_size
        assert have >= len(archive) // 2
        finish(fetch_dataset("cifar10"))
    assert source.asked[-1] == f"bytes={have}-"


def test_source_that_ignores_ranges(home: Path, archive: bytes) -> None:
    """200 in answer to a range: the known bytes are skipped."""
    fetch(home, archive, Source(archive, ranges=False, drops=[len(archive) // 2]))


def test_another_mirror_goes_on_where_the_first_broke_off(home: Path, archive: bytes) -> None:
    """A source that is gone for good after half of it is replaced by one that is asked for the rest."""
    half = len(archive) // 2
    first, second = Source(archive, drops=[half]), Source(archive, slow_from=0, slow_rate=4_000_000)
    with serve(first, second):
        table(home, archive, (first.url, second.url))
        work = fetch_dataset("cifar10")
        while next(work).done < half:
            pass
        first.statuses = [410] * 9
        finish(work)
    assert second.asked[-1].startswith("bytes=")
    assert first.sent + second.sent <= len(archive) + REFETCHED


def test_wrong_bytes_are_never_used(home: Path, archive: bytes) -> None:
    """A source of the right size and other content is found out and given up."""
    wrong = bytes(reversed(archive))
    assert "localhost sends other bytes than were published" in refuse(home, archive, Source(wrong))
    fetch(home, archive, Source(wrong), Source(archive, slow_from=0, slow_rate=2_000_000))


def test_file_that_changes_while_it_is_fetched(home: Path, archive: bytes) -> None:
    """After a drop another file of the same size lies there, with another ETag: it is not mixed in unnoticed."""
    other = bytes(reversed(archive))
    changed = Source(archive, drops=[len(archive) // 2], becomes=other)
    assert "other bytes than were published" in refuse(home, archive, changed)
    changed = Source(archive, drops=[len(archive) // 2], becomes=other)
    fetch(home, archive, changed, Source(archive, slow_from=0, slow_rate=2_000_000))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"statuses": [404] * 99}, "answers 404 Not Found"),
        ({"statuses": [503] * 99}, "answers 503 Service Unavailable"),
        ({"statuses": [302] * 99, "headers": {"Location": "http://localhost/a.tar.gz"}}, "leads away from https"),
        ({"statuses": [302] * 99, "headers": {"Location": "/again"}}, "redirects without end"),
        ({"headers": {"Content-Length": "17"}}, "has 17 bytes instead of"),
        ({"headers": {"Content-Encoding": "gzip"}}, "sends the file packed in another way"),
    ],
)
def test_source_that_cannot_be_used(home: Path, archive: bytes, changes: dict[str, object], sentence: str) -> None:
    """The sentence says what the source did."""
    assert sentence in refuse(home, archive, Source(archive, **changes))


def test_wrong_range_is_refused(home: Path, archive: bytes) -> None:
    """An answer with another part than was asked for is not appended."""
    lying = Source(archive, drops=[len(archive) // 2], headers={"Content-Range": f"bytes 0-9/{len(archive)}"})
    assert "sends another part than it was asked for" in refuse(home, archive, lying)


def test_busy_source_is_asked_again(home: Path, archive: bytes) -> None:
    """503 with Retry-After, then the file."""
    source = Source(archive, statuses=[503, 503])
    fetch(home, archive, source)
    assert len(source.asked) == 3


def test_redirect_within_https_is_followed(home: Path, archive: bytes) -> None:
    """302 to another https address."""
    target = Source(archive)
    source = Source(archive, statuses=[302])
    with serve(source, target):
        source.headers = {"Location": target.url}
        table(home, archive, (source.url,))
        assert finish(fetch_dataset("cifar10")).train == 1_000
    assert target.sent == len(archive)


def test_fastest_source_is_taken(home: Path, archive: bytes) -> None:
    """Of a slow and a fast source the fast one is used from the beginning."""
    slow, fast = Source(archive, slow_from=0), Source(archive)
    fetch(home, archive, slow, fast)
    assert slow.sent < len(archive) // 10


def test_source_that_becomes_slow_is_left(home: Path, archive: bytes) -> None:
    """At 60 kB/s the first source is left for the second after a second or two: it sends at most 5 s of 60 kB."""
    begin = 600_000
    first, second = Source(archive, slow_from=begin), Source(archive, slow_from=0, slow_rate=1_500_000)
    fetch(home, archive, first, second)
    assert begin < first.sent < begin + 5 * 60_000
    assert second.asked[-1].startswith("bytes=")


def test_data_that_is_there_needs_no_network(home: Path, archive: bytes) -> None:
    """With the data set prepared, not even a socket is made."""
    fetch(home, archive, Source(archive))
    program = (
        "import sys\n"
        "from cifartui.cli.main import run_command\n"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and sys.exit(f'asked the network: {event}'))\n"
        "sys.exit(run_command(['dataset', 'fetch', 'cifar10', '--json']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '"name":"cifar10"' in ended.stdout


def test_archive_changed_after_it_was_verified(home: Path, archive: bytes) -> None:
    """What is parsed is hashed again: an archive that was swapped is refused and removed."""
    source = Source(archive)
    with serve(source):
        table(home, archive, (source.url,))
        folder = home / "downloads"
        path = finish(download.download(archives_of("cifar10")[0], folder_made(folder)))
        path.write_bytes(pack_tar(write_python(home / "other", images=199), ".tar").read_bytes()[: len(archive)])
        os.truncate(path, len(archive))
        with pytest.raises(DataError):
            finish(fetch_dataset("cifar10"))
    assert prepared_names() == []


def folder_made(folder: Path) -> Path:
    """The folder, made."""
    folder.mkdir(parents=True)
    return folder


def test_local_file_and_address(home: Path, archive: bytes, tmp_path: Path) -> None:
    """--source takes the published file from disk or from one address, and nothing that only looks like it."""
    file = tmp_path / "brought.tar.gz"
    file.write_bytes(archive)
    table(home, archive, ("https://localhost:1/archive.tar.gz",))
    assert finish(fetch_dataset("cifar10", str(file))).train == 1_000
    assert file.exists()
    source = Source(archive)
    with serve(source):
        assert finish(fetch_dataset("cifar10", source.url, "again")).train == 1_000
    file.write_bytes(archive[:-1] + b"\xff")
    with pytest.raises(DataError, match="is not cifar10 as it was published"):
        finish(fetch_dataset("cifar10", str(file), "third"))
    for wrong in ("http://localhost/a.tar.gz", "ftp://localhost/a", str(tmp_path / "missing")):
        with pytest.raises(UsageError):
            finish(fetch_dataset("cifar10", wrong, "third"))


def test_two_fetches_at_once(home: Path, archive: bytes) -> None:
    """The second is told that the first is at it."""
    source = Source(archive)
    with serve(source):
        table(home, archive, (source.url,))
        first = fetch_dataset("cifar10")
        while next(first).done < 1_000:
            pass
        with pytest.raises(CifartuiError, match="is being fetched by another process already"):
            finish(fetch_dataset("cifar10"))
        assert finish(first).train == 1_000


def test_table_of_archives(home: Path) -> None:
    """The shipped table is valid; the user's own is put before it, and its mistakes are told."""
    shipped = load_archives()
    assert {archive.dataset for archive in shipped} == {"cifar10", "cifar100"}
    assert all(len(archive.sources) >= 2 for archive in shipped)
    table(home, b"content", ("https://example.org/a.tar.gz",))
    assert load_archives()[1:] == shipped
    table(home, b"content", ("http://example.org/a.tar.gz",))
    with pytest.raises(UsageError, match=r"archives\.toml: archive\.0\.sources\.0 = 'http://example.org/a.tar.gz'"):
        load_archives()
    (home / "archives.toml").write_text("least_bytes_per_second = 0\n")
    assert load_archives() == shipped
    assert archives.load_bounds().least_bytes_per_second == 0
    (home / "archives.toml").write_text("least_bytes_per_second = -1\n")
    with pytest.raises(UsageError, match="least_bytes_per_second = -1 is not allowed"):
        archives.load_bounds()
    (home / "archives.toml").unlink()
    assert archives.load_bounds().least_bytes_per_second == BOUNDS.least_bytes_per_second == 1_000
    with pytest.raises(DataError, match="It is not known where to fetch 'mnist'; known are cifar10, cifar100"):
        finish(fetch_dataset("mnist"))
