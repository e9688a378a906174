"""Whether the sources of the data sets can be reached: all are asked at once, for the last byte of each archive."""

import time
from collections.abc import Iterable
from threading import Condition

import httpx
import msgspec

from cifartui.dataset.fetching.answer import SourceFailed, host_of, make_client
from cifartui.dataset.fetching.archives import Archive, load_archives
from cifartui.dataset.fetching.bounds import BOUNDS, Bounds
from cifartui.dataset.fetching.connection import Connection
from cifartui.dataset.fetching.rate import Rate
from cifartui.machine.facts import Source
from cifartui.progress import LongWork, Progress

PATIENCE: Bounds = msgspec.structs.replace(BOUNDS, connect_seconds=4.0, answer_seconds=6.0, stall_seconds=6.0)


def look_at_sources(
    archives: Iterable[Archive] | None = None, bounds: Bounds = PATIENCE, client: httpx.Client | None = None
) -> LongWork[tuple[Source, ...]]:
    """Ask every source of the known archives; yields how many have answered.

    Raises:
        UsageError: the user's own table of archives is not valid.
    """
    client = client or make_client(bounds)  # never closed: its threads may still read
    news = Condition()
    asked = [(url, archive) for archive in archives or load_archives() for url in archive.sources]
    started = time.monotonic()
    open_lines = [
        Connection(client, url, archive.bytes - 1, archive.bytes, None, Rate(), bounds, news) for url, archive in asked
    ]
    answers: dict[str, float | str] = {}
    with news:
        while len(answers) < len({line.url for line in open_lines}):
            news.wait(bounds.tick_seconds)
            for line in open_lines:
                line.check()
                if line.url not in answers and (line.begun or line.failure):
                    answers[line.url] = _obstacle(line.failure) if line.failure else time.monotonic() - started
                    line.hang_up()
            yield Progress("asking the sources of the data sets", len(answers), len(asked), unit="files")
    return _by_host(answers)


def _obstacle(failure: Exception) -> str:
    return failure.reason if isinstance(failure, SourceFailed) else type(failure).__name__


def _by_host(answers: dict[str, float | str]) -> tuple[Source, ...]:
    hosts: dict[str, list[float | str]] = {}
    for url, answer in answers.items():
        hosts.setdefault(host_of(url), []).append(answer)
    return tuple(
        Source(
            host=host,
            files=len(given),
            seconds=max((one for one in given if isinstance(one, float)), default=None),
            obstacle=next((one for one in given if isinstance(one, str)), ""),
        )
        for host, given in hosts.items()
    )
