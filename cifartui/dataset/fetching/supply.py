"""An archive's bytes in order, from whichever source gives them best."""

import time
from threading import Condition

import httpx

from cifartui.dataset.fetching.answer import SourceFailed
from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.fetching.bounds import Bounds
from cifartui.dataset.fetching.connection import Connection
from cifartui.dataset.fetching.sources import Sources

FASTER = 2.0
"""How many times faster another source has to be to be changed to."""


class Supply:
    """The bytes of an archive from `position` on; one source gives them, others are tried beside it when it is slow."""

    def __init__(self, archive: Archive, client: httpx.Client, bounds: Bounds) -> None:
        self._news = Condition()
        self._sources = Sources(archive, client, bounds, self._news)
        self._total, self._bounds = archive.bytes, bounds
        self._position = 0
        self._giving: Connection | None = None
        self._tried: list[Connection] = []
        self._asked = self._next_search = 0.0
        self._looked = time.monotonic()

    @property
    def url(self) -> str | None:
        """The source that gives, if one does."""
        return self._giving.url if self._giving else None

    @property
    def rate(self) -> float | None:
        """Bytes per second, lately."""
        with self._news:
            return self._sources.rate(self._giving) if self._giving else None

    def read(self, position: int) -> bytes:
        """The bytes from `position` on that came within a tick; maybe none.

        Raises:
            DataError: every source is given up.
        """
        with self._news:
            self._position = position
            if not self._giving:
                if self._sources.exhausted:
                    raise self._sources.complaint(kept=position)
                self._ask(self._sources.ready())
            self._news.wait_for(self._something_to_do, self._bounds.tick_seconds)
            self._leave_out_pause()
            self._drop_failed()
            if not self._giving:
                self._choose()
            elif self._tried or self._search_is_due():
                self._change_to_faster()
            data = self._giving.take(position) if self._giving else b""
            if data and self._giving:
                self._sources.gives(self._giving)
            return data

    def blame(self, *, begun: bool) -> None:
        """What was read has the wrong checksum, begun by an earlier fetch or not: read it from one source alone."""
        self._sources.blame(begun=begun)

    def close(self) -> None:
        """Hang up everywhere."""
        with self._news:
            for connection in self._open():
                self._sources.hang_up(connection)
            self._giving, self._tried = None, []

    def _open(self) -> list[Connection]:
        return [*self._tried, *([self._giving] if self._giving else [])]

    def _ask(self, urls: list[str]) -> None:
        """Ask those of the sources that are not asked already."""
        if not self._tried:
            self._asked = time.monotonic()
        asked = {connection.url for connection in self._open()}
        self._tried += [self._sources.connect(url, self._position) for url in urls if url not in asked]

    def _something_to_do(self) -> bool:
        if self._giving:
            return self._giving.has_bytes or self._giving.failure is not None
        return bool(self._candidates()) or any(connection.failure for connection in self._tried)

    def _candidates(self) -> list[Connection]:
        """Those of the tried that have begun to give, once all are measured or were waited for long enough."""
        begun = [connection for connection in self._tried if connection.begun]
        if not self._giving and len(self._tried) == 1:
            return begun
        late = time.monotonic() - self._asked >= self._bounds.others_seconds
        return begun if late or all(connection.measured for connection in self._tried) else []

    def _leave_out_pause(self) -> None:
        """If this process was stopped, or its caller busy with other things, no source is to blame."""
        now = time.monotonic()
        pause = now - self._looked - self._bounds.tick_seconds
        self._looked = now
        if pause > self._bounds.tick_seconds:
            for connection in self._open():
                self._sources.leave_out(connection, pause)

    def _drop_failed(self) -> None:
        for connection in self._open():
            connection.check()
            failure = connection.failure or self._sources.too_slow(connection)
            if failure is None or (connection.has_bytes and not getattr(failure, "for_good", False)):
                continue  # what came before it broke off is taken first
            if not isinstance(failure, SourceFailed):
                raise failure
            self._sources.failed(connection, failure)
            if connection is self._giving:
                self._giving = None
            else:
                self._tried.remove(connection)

    def _choose(self) -> None:
        candidates = self._candidates()
        if not candidates:
            return
        for connection in self._tried:
            if not connection.answered:
                self._sources.failed(connection, SourceFailed("does not answer"))
        self._tried = [connection for connection in self._tried if connection.answered]
        self._change_to(max(candidates, key=lambda connection: (not connection.skipping, connection.speed)))

    def _search_is_due(self) -> bool:
        assert self._giving
        slow = self._sources.rate(self._giving) < self._bounds.slow_bytes_per_second
        if self._sources.unmixed or not slow or time.monotonic() < self._next_search:
            return False
        self._ask(self._sources.ready())
        self._next_search = time.monotonic() + self._bounds.look_again_seconds
        return True

    def _change_to_faster(self) -> None:
        assert self._giving
        rate, least = self._sources.rate(self._giving), self._bounds.least_bytes_per_second
        candidates = [connection for connection in self._candidates() if not connection.skipping]
        best = max(candidates, key=lambda connection: connection.speed, default=None)
        if best and best.speed >= max(FASTER * rate, least):
            self._change_to(best)
        elif rate >= least and time.monotonic() - self._asked >= self._bounds.others_seconds:
            # Below the least they stay: one of them will be needed soon.
            for connection in self._tried:
                self._sources.hang_up(connection)
            self._tried = []

    def _change_to(self, best: Connection) -> None:
        for connection in self._open():
            if connection is best:
                continue
            if isinstance(connection.failure, SourceFailed):
                self._sources.failed(connection, connection.failure)
            else:
                self._sources.hang_up(connection)
        self._giving, self._tried = best, []
        self._next_search = time.monotonic() + self._bounds.slow_seconds
