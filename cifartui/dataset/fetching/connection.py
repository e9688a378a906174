"""One connection to one source: asks for the bytes from an offset on, and believes nothing that it is told."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 8.0
STALL_SECONDS = 8.0
"""A source that sends nothing for so long has stalled."""
MAX_REDIRECTS = 5
MAX_WAIT_SECONDS = 30.0


class SourceFailed(Exception):
    """A source cannot give the bytes, now or (`for_good`) at all; the text says why in a few words."""

    def __init__(self, reason: str, *, for_good: bool = False, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.for_good, self.wait_seconds = reason, for_good, wait_seconds


def host_of(url: str) -> str:
    """The host's name, as people know a source."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


def make_client() -> httpx.Client:
    """A client with timeouts everywhere; proxies and certificates come from the environment."""
    timeout = httpx.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, follow_redirects=False, headers={"Accept-Encoding": "identity"})


class Connection:
    """An answer that is being read: the file's bytes from `offset` on."""

    def __init__(self, client: httpx.Client, url: str, offset: int, total: int, etag: str | None) -> None:
        """Ask for the bytes `offset` to `total` of the file at `url`; `etag` is what the source called it before.

        Raises:
            SourceFailed: the source does not answer with these bytes.
        """
        self.url = url
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and etag:
            headers["If-Range"] = etag
        try:
            self._response = _ask(client, url, headers)
        except httpx.HTTPError as error:
            raise SourceFailed(_in_words(error)) from error
        try:
            self._skip = _check(self._response, offset, total)
        except SourceFailed:
            self._response.close()
            raise
        answered_etag = self._response.headers.get("ETag")
        self.etag = answered_etag if answered_etag and not answered_etag.startswith("W/") else None
        self._chunks: Iterator[bytes] = self._response.iter_raw(CHUNK_BYTES)

    def read(self) -> bytes:
        """The next bytes; empty at the end of the answer.

        Raises:
            SourceFailed: the connection broke or stalled.
        """
        try:
            for chunk in self._chunks:
                if self._skip:  # the source ignores ranges and sends everything from the beginning
                    skipped = min(self._skip, len(chunk))
                    self._skip -= skipped
                    chunk = chunk[skipped:]
                if chunk:
                    return chunk
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise SourceFailed(_in_words(error)) from error
        return b""

    @property
    def skipping(self) -> bool:
        """Whether what comes now was fetched before."""
        return self._skip > 0

    def close(self) -> None:
        """Hang up."""
        self._response.close()


def _ask(client: httpx.Client, url: str, headers: dict[str, str]) -> httpx.Response:
    for _ in range(MAX_REDIRECTS + 1):
        if urlsplit(url).scheme != "https":
            raise SourceFailed("leads away from https, which is not safe", for_good=True)
        try:
            request = client.build_request("GET", url, headers=headers)
        except httpx.InvalidURL as error:
            raise SourceFailed("leads to an address that is none", for_good=True) from error
        response = client.send(request, stream=True)
        if not response.has_redirect_location:
            return response
        response.close()
        try:
            url = urljoin(url, response.headers["Location"])
        except ValueError as error:
            raise SourceFailed("leads to an address that is none", for_good=True) from error
    raise SourceFailed("redirects without end", for_good=True)


def _check(response: httpx.Response, offset: int, total: int) -> int:
    """Check an answer's head; return how many of its first bytes are known already."""
    status = response.status_code
    if status in (429, 500, 502, 503, 504):
        raise SourceFailed(f"answers {status} {response.reason_phrase}", wait_seconds=_retry_after(response))
    if status not in (200, 206):
        raise SourceFailed(f"answers {status} {response.reason_phrase}", for_good=True)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceFailed("sends the file packed in another way", for_good=True)
    length = response.headers.get("Content-Length", "")
    if status == 200:
        if length.isdecimal() and int(length) != total:
            raise SourceFailed(f"has {int(length):,} bytes instead of {total:,}", for_good=True)
        return offset
    sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", ""))
    if not sent or int(sent[1]) != offset or sent[3] not in ("*", str(total)):
        raise SourceFailed("sends another part than it was asked for", for_good=True)
    return 0


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), MAX_WAIT_SECONDS) if text.isdecimal() else 0.0


def _in_words(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "does not answer"
        case httpx.ReadTimeout():
            return "stalled"
        case httpx.ConnectError() if "certificate" in str(error).lower():
            return "has a certificate that cannot be trusted"
        case httpx.ConnectError():
            return "cannot be reached"
        case httpx.ProxyError():
            return "cannot be reached through the proxy"
        case _:
            return "broke off"


class Rate:
    """Bytes per second over the last few seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marks: list[tuple[float, int]] = [(time.monotonic(), 0)]

    def add(self, size: int) -> None:
        """Count bytes that have just come."""
        now = time.monotonic()
        self._marks.append((now, self._marks[-1][1] + size))
        while len(self._marks) > 2 and self._marks[1][0] < now - self._seconds:
            self._marks.pop(0)

    @property
    def per_second(self) -> float:
        """Bytes per second."""
        return (self._marks[-1][1] - self._marks[0][1]) / max(time.monotonic() - self._marks[0][0], 1e-3)
