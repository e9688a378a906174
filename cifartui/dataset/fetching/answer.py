"""What a source answers when it is asked for an archive's bytes: nothing that it says is believed unchecked."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from cifartui.dataset.fetching.bounds import Bounds
from cifartui.text import printable

MAX_REDIRECTS = 5
MAX_REASON = 40
"""Characters of a server's own words that are shown."""


class SourceFailed(Exception):
    """A source cannot give the bytes, now or (`for_good`) at all; the text says why in a few words."""

    def __init__(self, reason: str, *, for_good: bool = False, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.for_good, self.wait_seconds = reason, for_good, wait_seconds


class Answer(NamedTuple):
    """An answer whose head is read and checked."""

    response: httpx.Response
    start: int
    """The offset in the file of the first byte that will come."""
    etag: str | None
    """What the source calls this very content."""
    complete: bool
    """Whether its end is the end of the file as the source has it."""


def host_of(url: str) -> str:
    """The host's name, as people know a source; printable."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return printable((host or url).removeprefix("www."), 80)


def make_client(bounds: Bounds) -> httpx.Client:
    """A client whose proxies and certificates come from the environment; its own timeouts are a second net.

    It must not be closed while a thread reads: the thread would go on reading, from whichever file or socket gets the
    number of the closed one. It keeps nothing open between answers.
    """
    return httpx.Client(
        timeout=httpx.Timeout(2 * bounds.stall_seconds, connect=bounds.connect_seconds),
        limits=httpx.Limits(max_keepalive_connections=0),  # a connection ends with its answer
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )


def ask(
    client: httpx.Client, url: str, offset: int, total: int, etag: str | None, trace: Callable[[str, Any], None]
) -> Answer:
    """Ask for the bytes `offset` to `total` of a file that the source called `etag` before; `trace` is httpcore's.

    Raises:
        SourceFailed: the source does not answer with these bytes.
    """
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and etag:
        headers["If-Range"] = etag
    response = _follow(client, url, headers, trace)
    try:
        start = _check(response, offset, total)
    except SourceFailed:
        with blamed_on_source():
            response.close()
        raise
    answered = response.headers.get("ETag")
    return Answer(
        response,
        start,
        etag=answered if answered and not answered.startswith("W/") else None,
        complete=response.status_code == 200 and "Transfer-Encoding" in response.headers,
    )


@contextmanager
def blamed_on_source() -> Iterator[None]:
    """Whatever the network and its library raise is a fault of the source: nothing but httpx may run within."""
    try:
        yield
    except Exception as error:
        no_address = isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError))
        raise SourceFailed(_in_words(error), for_good=no_address) from error


def _follow(
    client: httpx.Client, url: str, headers: dict[str, str], trace: Callable[[str, Any], None]
) -> httpx.Response:
    for _ in range(MAX_REDIRECTS + 1):
        with blamed_on_source():
            request = client.build_request("GET", url, headers=headers, extensions={"trace": trace})
        if request.url.scheme != "https":
            raise SourceFailed("leads away from https, which is not safe", for_good=True)
        with blamed_on_source():
            response = client.send(request, stream=True)
        if not response.has_redirect_location:
            return response
        with blamed_on_source():
            response.close()
        try:
            url = urljoin(url, response.headers["Location"])
        except ValueError as error:
            raise SourceFailed("leads to an address that is none", for_good=True) from error
    raise SourceFailed("redirects without end", for_good=True)


def _check(response: httpx.Response, offset: int, total: int) -> int:
    """Check an answer's head; return the offset of its first byte."""
    status, headers = response.status_code, response.headers
    if status not in (200, 206):
        reason = f"answers {status} {printable(response.reason_phrase, MAX_REASON)}".rstrip()
        passing = status in (429, 500, 502, 503, 504)
        wait = _number(headers.get("Retry-After", "")) or 0
        raise SourceFailed(reason, for_good=not passing, wait_seconds=wait if passing else 0.0)
    if headers.get("Content-Encoding", "identity") != "identity":
        raise SourceFailed("sends the file packed in another way", for_good=True)
    if headers.get("Content-Type", "").startswith("text/html"):
        raise SourceFailed("sends a web page instead of the file", for_good=True)
    if status == 200:
        length = headers.get("Content-Length")
        if length is not None and (size := _number(length)) != total:
            count = "another number of" if size is None else f"{size:,}"
            raise SourceFailed(f"has {count} bytes instead of {total:,}", for_good=True)
        return 0
    sent = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", headers.get("Content-Range", ""))
    if not sent or _number(sent[1]) != offset or (sent[2] != "*" and _number(sent[2]) != total):
        raise SourceFailed("sends another part than it was asked for", for_good=True)
    return offset


def _number(text: str) -> int | None:
    """A number of a length that can be meant."""
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _in_words(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "does not answer"
        case httpx.TimeoutException():
            return "stalled"
        case httpx.ConnectError() if "certificate" in str(error).lower():
            return "has a certificate that cannot be trusted"
        case httpx.ConnectError():
            return "cannot be reached"
        case httpx.ProxyError():
            return "cannot be reached through the proxy"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return "leads to an address that is none"
        case httpx.RemoteProtocolError() if not re.search("disconnected|closed", str(error)):
            return "does not speak HTTP as it should"
        case httpx.HTTPError() | httpx.StreamError():
            return "broke off"
        case _:
            return "sends what cannot be read"
