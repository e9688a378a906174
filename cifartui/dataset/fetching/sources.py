"""The sources of an archive: which are fit to be asked, and what was learned about each."""

import time
from dataclasses import dataclass, field
from threading import Condition

import httpx

from cifartui.dataset.fetching.answer import SourceFailed, host_of
from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.fetching.bounds import Bounds
from cifartui.dataset.fetching.connection import Connection
from cifartui.dataset.fetching.rate import Rate
from cifartui.errors import DataError

MAX_FAILURES = 5
"""In a row, without a new byte in between: then a source is given up."""


@dataclass
class Standing:
    """What is known of one source."""

    rate: Rate = field(default_factory=Rate)
    """Over attempts and rests, but not over time in which it was not wanted."""
    idle_since: float = field(default_factory=time.monotonic)
    failures: int = 0
    not_before: float = 0.0
    requested_rest: float = 0.0
    """Seconds that it had us wait."""
    reason: str = ""
    given_up: bool = False
    etag: str | None = None


class Sources:
    """The sources of an archive, the publisher's first."""

    def __init__(self, archive: Archive, client: httpx.Client, bounds: Bounds, news: Condition) -> None:
        self._archive, self._client, self._bounds, self._news = archive, client, bounds, news
        self._standings = {url: Standing() for url in archive.sources}
        self._used: list[str] = []
        self.unmixed = False
        """Whether one source has to give all."""

    def ready(self) -> list[str]:
        """The sources that can be asked now: none while those that are left rest, or are all given up."""
        living = [url for url, standing in self._standings.items() if not standing.given_up]
        if self.unmixed:
            living = [url for url in living if url in self._used] or living
        now = time.monotonic()
        return [url for url in living if self._standings[url].not_before <= now]

    @property
    def exhausted(self) -> bool:
        """Whether every source is given up."""
        return all(standing.given_up for standing in self._standings.values())

    def complaint(self, kept: int) -> DataError:
        """What to tell when all are given up and `kept` bytes have come."""
        why = "; ".join(f"{host_of(url)} {standing.reason}" for url, standing in self._standings.items())
        stays = "; what came is kept" if kept else ""
        return DataError(
            f"{self._archive.file} could not be fetched ({why or 'no source is known'}){stays}: "
            "try again later, or give an address or a file of your own as the source."
        )

    def connect(self, url: str, offset: int) -> Connection:
        """Ask a source for the bytes from `offset` on."""
        standing = self._standings[url]
        standing.rate.leave_out(max(0.0, time.monotonic() - standing.idle_since))
        return Connection(
            self._client, url, offset, self._archive.bytes, standing.etag, standing.rate, self._bounds, self._news
        )

    def hang_up(self, connection: Connection) -> None:
        """End a connection to a source that is not wanted now."""
        connection.hang_up()
        self._standings[connection.url].idle_since = time.monotonic()

    def failed(self, connection: Connection, failure: SourceFailed) -> None:
        """Note a failure: the source rests, longer each time, or is given up."""
        connection.hang_up()
        standing = self._standings[connection.url]
        standing.failures += 1
        standing.reason = failure.reason
        standing.given_up = failure.for_good or standing.failures >= MAX_FAILURES
        granted = min(failure.wait_seconds, self._bounds.requested_rest_seconds - standing.requested_rest)
        standing.requested_rest += granted
        back_off = min(self._bounds.back_off_seconds / 40 * 2**standing.failures, self._bounds.back_off_seconds)
        now = time.monotonic()
        standing.not_before = now + (granted or back_off)
        standing.idle_since = now if granted else standing.not_before

    def gives(self, connection: Connection) -> None:
        """Note that new bytes came from a source: its failures are forgotten."""
        standing = self._standings[connection.url]
        standing.failures = 0
        standing.etag = connection.etag
        if connection.url not in self._used:
            self._used.append(connection.url)

    def rate(self, connection: Connection) -> float:
        """Bytes per second of a source, lately."""
        return self._standings[connection.url].rate.over(self._bounds.slow_seconds)

    def too_slow(self, connection: Connection) -> SourceFailed | None:
        """Why a source is given up that has given next to nothing for a while, rests and attempts included."""
        standing, bounds = self._standings[connection.url], self._bounds
        if standing.rate.seconds < bounds.least_seconds or connection.whole:
            return None
        rate = standing.rate.over(bounds.least_seconds)
        if rate >= bounds.least_bytes_per_second:
            return None
        least = f"{bounds.least_bytes_per_second:,} bytes a second"
        reason = f"sends less than {least}, the least_bytes_per_second of archives.toml"
        return SourceFailed(standing.reason if standing.reason and not rate else reason, for_good=True)

    def leave_out(self, connection: Connection, seconds: float) -> None:
        """Forget that the last `seconds` have passed: nobody was waiting."""
        connection.leave_out(seconds)
        self._standings[connection.url].rate.leave_out(seconds)

    def blame(self, *, begun: bool) -> None:
        """The whole has the wrong checksum: give up the source that gave all of it, or have one give all of it."""
        if len(self._used) == 1 and not begun:
            standing = self._standings[self._used[0]]
            standing.given_up, standing.reason = True, "sends other bytes than were published"
        self.unmixed = True
        self._used = []
