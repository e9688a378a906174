"""One archive, whole and verified, from whichever source gives it best; what came stays for the next attempt."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import httpx

from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.fetching.connection import Connection, Rate, SourceFailed, host_of, make_client
from cifartui.errors import CifartuiError, DataError
from cifartui.files import sha256_of, sync_folder
from cifartui.progress import Progress, Steps

PROBE_BYTES = 256 * 1024
PROBE_SECONDS = 1.5
ANSWER_SECONDS = 3.0
"""How long sources are waited for that do not answer while others do."""
SLOW_BYTES_PER_SECOND = 200_000
"""Below this, over `SLOW_SECONDS`, another source is looked for."""
SLOW_SECONDS = 6.0
LOOK_AGAIN_SECONDS = 60.0
"""After a search that found nothing faster, the next one waits for so long."""
FASTER = 2.0
"""How many times faster another source has to be."""
MAX_FAILURES = 5
"""In a row, without `PROBE_BYTES` in between: then a source is given up."""
MAX_BACK_OFF_SECONDS = 10.0
REPORT_SECONDS = 0.1


def download(archive: Archive, folder: Path) -> Steps[Path]:
    """Fetch an archive into `folder`; yields progress in bytes. Nothing is fetched if it is there already.

    Raises:
        DataError: no source gives it; what came is kept and the next call goes on from there.
        CifartuiError: another process is fetching it, or the disk has no room for it.
        OSError: it cannot be written.
    """
    target = folder / archive.file
    if target.exists() and target.stat().st_size == archive.bytes:
        return target
    part = target.with_name(f"{target.name}.part")
    with _owned(part) as file, make_client() as client:
        file.seek(0, os.SEEK_END)
        if file.tell() > archive.bytes:
            file.truncate(0)
        _require_room(folder, archive.bytes - file.tell())
        sources = Sources(archive, client)
        while True:
            yield from _fill(file.fileno(), sources, archive)
            yield Progress("verifying", archive.bytes, archive.bytes, "bytes")
            if sha256_of(part) == archive.sha256:
                break
            os.ftruncate(file.fileno(), 0)
            sources.blame()
        os.fsync(file.fileno())
        part.replace(target)
        sync_folder(folder)
    return target


class Probe(NamedTuple):
    """What a source answered when it was tried."""

    connection: Connection
    first: bytes
    speed: float
    """Bytes per second."""


class Sources:
    """The sources of an archive: which are fit to be asked, and what was learned about each."""

    def __init__(self, archive: Archive, client: httpx.Client) -> None:
        self._archive, self._client = archive, client
        self._failures = dict.fromkeys(archive.sources, 0)
        self._not_before = dict.fromkeys(archive.sources, 0.0)
        self._reasons: dict[str, str] = {}
        self._given_up: set[str] = set()
        self._etags: dict[str, str | None] = {}
        self._used: list[str] = []
        self._unmixed = False
        self.speeds: dict[str, float] = {}
        """Bytes per second of each source, as last probed."""

    def connect(self, offset: int) -> tuple[Connection, bytes]:
        """Connect to the best source; returns its first bytes from `offset` on, too.

        Raises:
            DataError: every source was given up.
        """
        while True:
            ready = self._ready()
            found = self._probe(ready, offset, measured=len(ready) > 1)
            if found:
                best, first = max(found, key=lambda pair: (not pair[0].skipping, self.speeds[pair[0].url]))
                for connection, _ in found:
                    if connection is not best:
                        connection.close()
                if best.url not in self._used:
                    self._used.append(best.url)
                return best, first

    def faster_than(self, current: Connection, rate: float, offset: int) -> tuple[Connection, bytes] | None:
        """Look for another source that is clearly faster than `rate` bytes per second."""
        if self._unmixed:
            return None
        others = [url for url in self._living() if url != current.url and self._not_before[url] <= time.monotonic()]
        found = self._probe(others, offset, measured=True)
        best = max(found, key=lambda pair: self.speeds[pair[0].url], default=None)
        if best and (best[0].skipping or self.speeds[best[0].url] < FASTER * rate):
            best = None
        for connection, _ in found:
            if not best or connection is not best[0]:
                connection.close()
        if best and best[0].url not in self._used:
            self._used.append(best[0].url)
        return best

    def failed(self, url: str, error: SourceFailed) -> None:
        """Note a failure: the source waits longer each time, or is given up."""
        self._failures[url] += 1
        self._reasons[url] = error.reason
        if error.for_good or self._failures[url] >= MAX_FAILURES:
            self._given_up.add(url)
        wait = error.wait_seconds or min(0.25 * 2 ** self._failures[url], MAX_BACK_OFF_SECONDS)
        self._not_before[url] = time.monotonic() + wait

    def delivers(self, url: str) -> None:
        """Note that a source gave a good deal of bytes: its failures are forgotten."""
        self._failures[url] = 0

    def blame(self) -> None:
        """The whole has the wrong checksum: give up the source it came from, or stop mixing if there were several."""
        for url in self._used:
            self._reasons[url] = "sends other bytes than were published"
        if len(self._used) == 1:
            self._given_up.update(self._used)
        self._unmixed = True
        self._used = []

    def _living(self) -> list[str]:
        return [url for url in self._archive.sources if url not in self._given_up]

    def _ready(self) -> list[str]:
        """The sources that may be asked now; waits for the first if all have to rest."""
        living = self._living()
        if not living:
            why = "; ".join(f"{host_of(url)} {self._reasons[url]}" for url in self._archive.sources)
            raise DataError(
                f"{self._archive.file} could not be fetched ({why or 'no source is known'}); what came is kept: "
                "try again later, or bring the file and use --source PATH."
            )
        if self._unmixed:
            living = [next((url for url in living if url in self._used), living[0])]
        now = time.monotonic()
        rested = [url for url in living if self._not_before[url] <= now]
        if rested:
            return rested
        first = min(living, key=lambda url: self._not_before[url])
        time.sleep(max(0.0, self._not_before[first] - now))
        return [first]

    def _probe(self, urls: list[str], offset: int, *, measured: bool) -> list[tuple[Connection, bytes]]:
        """Ask several sources at once and measure how fast their first bytes come; the slowest to answer are left."""
        if not urls:
            return []
        pool = ThreadPoolExecutor(len(urls))
        asked = {pool.submit(self._try, url, offset, measured=measured): url for url in urls}
        pool.shutdown(wait=False)
        wait(asked, timeout=ANSWER_SECONDS)
        if not any(future.done() and not isinstance(future.result(), SourceFailed) for future in asked):
            wait(asked, return_when=FIRST_COMPLETED)
        found = []
        for future, url in asked.items():
            if not future.done():
                self.failed(url, SourceFailed("does not answer"))
                future.add_done_callback(_hang_up)
                continue
            answer = future.result()
            if isinstance(answer, SourceFailed):
                self.failed(url, answer)
            else:
                self._etags[url], self.speeds[url] = answer.connection.etag, answer.speed
                found.append((answer.connection, answer.first))
        return found

    def _try(self, url: str, offset: int, *, measured: bool) -> "Probe | SourceFailed":
        try:
            connection = Connection(self._client, url, offset, self._archive.bytes, self._etags.get(url))
        except SourceFailed as error:
            return error
        if not measured or connection.skipping:
            return Probe(connection, b"", 0.0)
        started, first = time.monotonic(), bytearray()
        try:
            while len(first) < PROBE_BYTES and time.monotonic() - started < PROBE_SECONDS:
                chunk = connection.read()
                if not chunk:
                    break
                first += chunk
        except SourceFailed as error:
            connection.close()
            return error
        return Probe(connection, bytes(first), len(first) / max(time.monotonic() - started, 1e-3))


def _fill(descriptor: int, sources: Sources, archive: Archive) -> Steps[None]:
    """Append what is missing of the archive."""
    have = os.fstat(descriptor).st_size
    connection: Connection | None = None
    rate = Rate(SLOW_SECONDS)
    next_report = next_look = delivered = 0.0
    try:
        while have < archive.bytes:
            if connection is None:
                yield Progress("asking the sources", have, archive.bytes, "bytes")
                connection, data = sources.connect(have)
                rate, delivered = Rate(SLOW_SECONDS), 0
                next_look = time.monotonic() + SLOW_SECONDS
            else:
                try:
                    data = connection.read()
                    if not data:
                        raise SourceFailed("broke off")
                except SourceFailed as error:
                    connection.close()
                    sources.failed(connection.url, error)
                    connection = None
                    continue
            data = data[: archive.bytes - have]
            _write(descriptor, data)
            have += len(data)
            rate.add(len(data))
            delivered += len(data)
            if delivered > PROBE_BYTES:
                sources.delivers(connection.url)
            now = time.monotonic()
            if now >= next_report:
                next_report = now + REPORT_SECONDS
                activity = f"fetching from {host_of(connection.url)}"
                yield Progress(activity, have, archive.bytes, "bytes", rate.per_second)
            if now >= next_look and rate.per_second < SLOW_BYTES_PER_SECOND:
                next_look = now + LOOK_AGAIN_SECONDS
                better = sources.faster_than(connection, rate.per_second, have)
                if better:
                    connection.close()
                    connection, data = better
                    data = data[: archive.bytes - have]
                    _write(descriptor, data)
                    have += len(data)
                    rate, delivered = Rate(SLOW_SECONDS), len(data)
    finally:
        if connection:
            connection.close()


def _hang_up(future: "Future[Probe | SourceFailed]") -> None:
    answer = future.result()
    if isinstance(answer, Probe):
        answer.connection.close()


@contextmanager
def _owned(part: Path) -> Iterator[BinaryIO]:
    """Open the part file for appending, for this process alone."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CifartuiError(f"{part.stem} is being fetched by another process already; wait for it.") from error
        if not part.exists() or not os.path.samestat(os.fstat(file.fileno()), part.stat()):
            raise CifartuiError(f"{part.stem} was fetched by another process just now; ask again.")
        yield file


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CifartuiError(
            f"The disk of {folder} has {free:,} bytes free and {needed:,} more are needed; free some space."
        )


def identify(path: Path, archives: Iterable[Archive]) -> Archive | None:
    """Which of the published archives a file is, by size and sha256."""
    size = path.stat().st_size
    candidates = [archive for archive in archives if archive.bytes == size]
    digest = sha256_of(path) if candidates else None
    return next((archive for archive in candidates if archive.sha256 == digest), None)
