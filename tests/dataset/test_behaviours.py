"""Every behaviour of the table: the right bytes or one printable sentence, and soon."""

import hashlib
import re
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
import trustme

from cifartui.dataset.fetching.archives import Archive
from cifartui.dataset.fetching.bounds import BOUNDS, Bounds
from cifartui.dataset.fetching.download import download
from cifartui.errors import CifartuiError
from cifartui.progress import finish
from tests.dataset.behaviours import CASES, Case, falling_to, good, head_drip, silent, steady
from tests.dataset.misbehaving import Server, serving

CONTENT = np.random.default_rng(8).bytes(600_000)
SHORT = 1 / 15
"""In the ordinary tests a second of the bounds is so long."""
LONGEST = 40.0
"""Seconds, at the real bounds, that a fetch may last beyond the honest transfer."""


class Outcome(NamedTuple):
    """What a fetch came to."""

    sha256: str | None
    sentence: str
    seconds: float


class Authorities(NamedTuple):
    """Who vouches for the servers: one that the client trusts, and one that it does not."""

    trusted: ssl.SSLContext
    strange: ssl.SSLContext


def scaled(scale: float) -> Bounds:
    """The bounds with all times shortened."""
    names = [name for name in Bounds.__struct_fields__ if name.endswith("_seconds")]
    return msgspec.structs.replace(BOUNDS, **{name: getattr(BOUNDS, name) * scale for name in names})


def archive_at(*urls: str) -> Archive:
    """The content, published at these addresses."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Archive(dataset="cifar10", file="archive.tar.gz", bytes=len(CONTENT), sha256=digest, sources=urls)


@pytest.fixture(scope="module")
def authorities() -> Iterator[Authorities]:
    """Two authorities; the first is trusted through SSL_CERT_FILE."""
    trusted, strange = trustme.CA(), trustme.CA()
    with pytest.MonkeyPatch.context() as patch, trusted.cert_pem.tempfile() as path:
        patch.setenv("SSL_CERT_FILE", path)
        yield Authorities(context_of(trusted), context_of(strange))


def context_of(authority: trustme.CA) -> ssl.SSLContext:
    """What a server called localhost needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def fetch(case: Case, folder: Path, scale: float, authorities: Authorities) -> Outcome:
    """Fetch from the servers of a case."""
    folder.mkdir()
    context = authorities.trusted if case.trusted else authorities.strange
    servers = [Server(behaviour, CONTENT, scale, context, case.plain) for behaviour in case.servers]
    started = time.monotonic()
    with serving(*servers) as urls:
        work = download(archive_at(*urls), folder, scaled(scale))
        try:
            for _ in work:
                if time.monotonic() - started > 2 * LONGEST * scale + 20:
                    work.close()
                    return Outcome(None, "went on and on", time.monotonic() - started)
        except CifartuiError as error:
            return Outcome(None, str(error), time.monotonic() - started)
        whole = (folder / "archive.tar.gz").read_bytes()
        return Outcome(hashlib.sha256(whole).hexdigest(), "", time.monotonic() - started)


def check(case: Case, outcome: Outcome, scale: float, leeway: float) -> None:
    """The right bytes or the right sentence, in time."""
    if case.sentence:
        assert outcome.sha256 is None
        assert re.search(case.sentence, outcome.sentence), outcome.sentence
        assert outcome.sentence.isprintable()
        assert len(outcome.sentence) < 500
    else:
        assert (outcome.sentence, outcome.sha256) == ("", hashlib.sha256(CONTENT).hexdigest())
    assert outcome.seconds < LONGEST * scale + case.honest + leeway


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, authorities: Authorities, request: pytest.FixtureRequest
) -> Iterator[dict[str, "Future[Outcome]"]]:
    """All cases that this session asks for, many at once: they do little but wait."""
    root = tmp_path_factory.mktemp("fetched")
    asked = {item.name for item in request.session.items}
    with ThreadPoolExecutor(24) as pool:
        yield {
            case.name: pool.submit(fetch, case, root / str(number), SHORT, authorities)
            for number, case in enumerate(CASES)
            if f"{test_behaviour.__name__}[{case.name}]" in asked
        }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_behaviour(case: Case, outcomes: dict[str, "Future[Outcome]"]) -> None:
    """With short bounds."""
    check(case, outcomes[case.name].result(), SHORT, leeway=6)


@pytest.mark.faults
def test_behaviours_at_full_length(tmp_path: Path, authorities: Authorities) -> None:
    """With the bounds of the program; prints how long each takes."""
    with ThreadPoolExecutor(24) as pool:
        fetched = [
            pool.submit(fetch, case, tmp_path / str(number), 1.0, authorities) for number, case in enumerate(CASES)
        ]
    failures = []
    for case, outcome in zip(CASES, (future.result() for future in fetched), strict=True):
        print(f"{outcome.seconds:6.1f} s  {case.name} → {outcome.sentence or 'whole'}")
        try:
            check(case, outcome, 1.0, leeway=1)
        except AssertionError as error:
            failures.append(f"{case.name}: {error}")
    assert not failures


def test_part_begun_by_somebody_else(tmp_path: Path, authorities: Authorities) -> None:
    """26 bytes of a log-in page do not bring the good source into discredit: it is asked for all of it."""
    (tmp_path / "archive.tar.gz.part").write_bytes(b"<html>Please log in</html>")
    with serving(Server(good, CONTENT, SHORT, authorities.trusted)) as urls:
        path = finish(download(archive_at(*urls), tmp_path, scaled(SHORT)))
    assert path.read_bytes() == CONTENT


def test_slow_line_of_a_patient_user(tmp_path: Path, authorities: Authorities) -> None:
    """With `least_bytes_per_second` at 0 a source of 500 bytes a second is used to the end."""
    patient = msgspec.structs.replace(scaled(SHORT), least_bytes_per_second=0)
    nearly = 1 - 1_200 / len(CONTENT)
    with serving(Server(falling_to(500, after=nearly), CONTENT, SHORT, authorities.trusted)) as urls:
        with pytest.raises(CifartuiError, match="sends less than 1,000 bytes a second"):
            finish(download(archive_at(*urls), tmp_path, scaled(SHORT)))
        assert finish(download(archive_at(*urls), tmp_path, patient)).read_bytes() == CONTENT


def test_pause_of_this_program_is_no_fault_of_the_source(tmp_path: Path, authorities: Authorities) -> None:
    """A fetch that was stopped for longer than any bound goes on."""
    with serving(Server(steady, CONTENT, SHORT, authorities.trusted)) as urls:
        work = download(archive_at(*urls), tmp_path, scaled(SHORT))
        while not next(work).done:
            pass
        time.sleep(2.5)
        assert finish(work).read_bytes() == CONTENT


def test_no_thread_is_left_behind(tmp_path: Path, authorities: Authorities) -> None:
    """What still waits for a silent mirror when the archive is whole is ended, not closed under it."""
    servers = [Server(behaviour, CONTENT, SHORT, authorities.trusted) for behaviour in (silent, head_drip, good)]
    with serving(*servers) as urls:
        finish(download(archive_at(*urls), tmp_path, scaled(SHORT)))
        names = {f"fetch {url}" for url in urls}
        deadline = time.monotonic() + 5
        while left := names & {thread.name for thread in threading.enumerate()}:
            assert time.monotonic() < deadline, left
            time.sleep(0.02)
