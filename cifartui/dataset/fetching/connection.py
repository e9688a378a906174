"""One connection to one source, read by a thread of its own, so that nothing that a server does can hold the fetch."""

import socket
import time
from contextlib import suppress
from threading import Condition, Thread
from typing import Any

import httpx

from cifartui.dataset.fetching.answer import Answer, SourceFailed, ask, blamed_on_source
from cifartui.dataset.fetching.bounds import Bounds
from cifartui.dataset.fetching.rate import Rate

BUFFER_BYTES = 256 * 1024
"""So much is read ahead."""


class Connection:
    """The file's bytes from `offset` on, as they come from one source.

    `news` guards everything here and is notified of every change; its owner holds it while it calls.
    """

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        offset: int,
        total: int,
        etag: str | None,
        rate: Rate,
        bounds: Bounds,
        news: Condition,
    ) -> None:
        self.url, self.etag = url, etag
        self.failure: Exception | None = None
        """Why nothing more will come: `SourceFailed`, or an error of this program."""
        self._client, self._total, self._rate, self._bounds, self._news = client, total, rate, bounds, news
        self._buffer = bytearray()
        self._start = self._wanted = offset
        self._asked = self._last = time.monotonic()
        self._answered: float | None = None
        self._received = 0
        self._stream: Any = None
        self._hung_up = False
        Thread(target=self._run, name=f"fetch {url}", daemon=True).start()

    @property
    def answered(self) -> bool:
        """Whether the source has agreed to send the bytes."""
        return self._answered is not None

    @property
    def begun(self) -> bool:
        """Whether at least one byte has come."""
        return self._received > 0

    @property
    def full(self) -> bool:
        """Whether it waits for its bytes to be taken."""
        return len(self._buffer) >= BUFFER_BYTES

    @property
    def whole(self) -> bool:
        """Whether the last byte of the file has come."""
        return self._start + len(self._buffer) >= self._total

    @property
    def has_bytes(self) -> bool:
        """Whether bytes can be taken."""
        return bool(self._buffer)

    @property
    def skipping(self) -> bool:
        """Whether what comes now was fetched before: the source sends everything from the beginning."""
        return self._start < self._wanted

    @property
    def measured(self) -> bool:
        """Whether enough has come, or time passed, to know its speed."""
        if self._answered is None:
            return False
        ended = self.full or self.whole or self.failure is not None
        return ended or time.monotonic() - self._answered >= self._bounds.probe_seconds

    @property
    def speed(self) -> float:
        """Bytes per second since it answered."""
        if self._answered is None:
            return 0.0
        end = self._last if self.full or self.whole or self.failure else time.monotonic()
        return self._received / max(end - self._answered, 1e-3)

    def take(self, position: int) -> bytes:
        """What has come of the file from `position` on; empty while there is nothing."""
        if self.full:
            self._last = time.monotonic()
            self._news.notify_all()
        self._wanted = position
        self._trim()
        data = bytes(self._buffer)
        self._buffer.clear()
        self._start += len(data)
        self._wanted = max(self._wanted, self._start)
        return data

    def check(self) -> None:
        """Hang up if the source has let us wait for too long."""
        now = time.monotonic()
        if self.failure or self.full or self.whole:
            return
        if self._answered is None and now - self._asked > self._bounds.answer_seconds:
            self.failure = SourceFailed(f"did not answer within {self._bounds.answer_seconds:g} s")
            self.hang_up()
        elif self._answered is not None and now - self._last > self._bounds.stall_seconds:
            self.failure = SourceFailed("stalled")
            self.hang_up()

    def leave_out(self, seconds: float) -> None:
        """Forget that the last `seconds` have passed: nobody was waiting."""
        self._asked += seconds
        self._last += seconds

    def hang_up(self) -> None:
        """Close the connection, whatever its thread is waiting for."""
        self._hung_up = True
        self._news.notify_all()
        self._shut_down()

    def _run(self) -> None:
        failure: Exception | None = None
        try:
            answer = ask(self._client, self.url, self._wanted, self._total, self.etag, self._trace)
            try:
                self._receive(answer)
            finally:
                with self._news:
                    self._stream = None
                with blamed_on_source():
                    answer.response.close()
        except Exception as error:
            failure = error
        with self._news:
            self.failure = self.failure or failure
            self._news.notify_all()

    def _receive(self, answer: Answer) -> None:
        with self._news:
            self._start, self.etag = answer.start, answer.etag
            self._answered = self._last = time.monotonic()
            self._news.notify_all()
        chunks = answer.response.iter_raw()
        position = answer.start
        while position < self._total:
            with blamed_on_source():
                chunk = next(chunks, None)
            if chunk is None:
                if answer.complete:
                    raise SourceFailed(f"has {position:,} bytes instead of {self._total:,}", for_good=True)
                raise SourceFailed("broke off")
            chunk = chunk[: self._total - position]
            position += len(chunk)
            with self._news:
                self._last = time.monotonic()
                self._received += len(chunk)
                self._rate.add(len(chunk))
                self._buffer += chunk
                self._trim()
                self._news.notify_all()
                self._news.wait_for(lambda: self._hung_up or not self.full)
                if self._hung_up:
                    return

    def _trim(self) -> None:
        surplus = min(self._wanted - self._start, len(self._buffer))
        if surplus > 0:
            del self._buffer[:surplus]
            self._start += surplus

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Keep the socket that httpcore has just opened: while it waits, nothing else can end the waiting."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._news:
                self._stream = info["return_value"]
                if self._hung_up:
                    self._shut_down()

    def _shut_down(self) -> None:
        if self._stream is not None:
            with suppress(OSError):  # closed already
                # Not SSLSocket's own: that would take the TLS object away from the thread that reads.
                socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)
