"""Sources of archives for the tests: real https servers on this machine that misbehave as they are told."""

import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

CHUNK = 16 * 1024


@dataclass
class Source:
    """One server with one file, and how it behaves."""

    content: bytes
    etag: str = '"first"'
    ranges: bool = True
    """False: it answers 200 and the whole file whatever was asked for."""
    drops: list[int] = field(default_factory=list)
    """Offsets at which it hangs up, each once."""
    stalls: list[int] = field(default_factory=list)
    """Offsets at which it falls silent, each once."""
    statuses: list[int] = field(default_factory=list)
    """Statuses of its first answers, before it does what it should."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers in place of the right ones."""
    slow_from: int | None = None
    """Offset from which on it sends `slow_rate` bytes a second."""
    slow_rate: int = 60_000
    becomes: bytes | None = None
    """After its first hang-up the file has this content, and another ETag."""
    asked: list[str] = field(default_factory=list)
    """The Range header of each request, empty without one."""
    sent: int = 0
    """Bytes of content sent in all."""
    url: str = ""
    _closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        wanted = handler.headers.get("Range", "")
        self.asked.append(wanted)
        if self.statuses:
            self._head(handler, self.statuses.pop(0), {"Content-Length": "0", **self.headers})
            return
        condition = handler.headers.get("If-Range")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        size = len(self.content)
        if start and self.ranges and condition in (None, self.etag):
            head = {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": str(size - start)}
            self._head(handler, 206, head | {"ETag": self.etag} | self.headers)
        else:
            start = 0
            self._head(handler, 200, {"Content-Length": str(size), "ETag": self.etag} | self.headers)
        self._body(handler, start)

    def _head(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    def _body(self, handler: BaseHTTPRequestHandler, start: int) -> None:
        position, content = start, self.content
        while position < len(content) and not self._closing.is_set():
            slow = self.slow_from is not None and position >= self.slow_from
            end = min(position + (self.slow_rate // 20 if slow else CHUNK), len(content))
            event = min((offset for offset in (*self.drops, *self.stalls) if position < offset <= end), default=None)
            end = event or end
            handler.wfile.write(content[position:end])
            self.sent += end - position
            position = end
            if event in self.drops:
                self.drops.remove(event)
                if self.becomes is not None:
                    self.content, self.etag = self.becomes, '"second"'
                handler.close_connection = True
                return
            if event in self.stalls:
                self.stalls.remove(event)
                self._closing.wait(60)
                return
            if slow:
                time.sleep(0.05)


@contextmanager
def serve(*sources: Source) -> Iterator[None]:
    """Run a server for each source; their certificates are trusted through SSL_CERT_FILE."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    servers = []
    for source in sources:
        server = _Server(("127.0.0.1", 0), _handler(source))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        source.url = f"https://localhost:{server.server_port}/archive.tar.gz"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    before = os.environ.get("SSL_CERT_FILE")
    with authority.cert_pem.tempfile() as path:
        os.environ["SSL_CERT_FILE"] = path
        try:
            yield
        finally:
            os.environ.pop("SSL_CERT_FILE")
            if before is not None:
                os.environ["SSL_CERT_FILE"] = before
            for source, server in zip(sources, servers, strict=True):
                source._closing.set()
                server.shutdown()
                server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are expected."""


def _handler(source: Source) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            source.answer(self)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler


def table(home: Path, content: bytes, sources: tuple[str, ...], dataset: str = "cifar10") -> None:
    """Make an archive known under the program's folder."""
    import hashlib

    home.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f'"{url}"' for url in sources)
    (home / "archives.toml").write_text(
        f'[[archive]]\ndataset = "{dataset}"\nfile = "archive.tar.gz"\nbytes = {len(content)}\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nsources = [{listed}]\n'
    )
